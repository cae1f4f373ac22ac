select head, body from dead_letters where id = $1
