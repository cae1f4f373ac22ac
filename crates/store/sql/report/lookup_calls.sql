select calls from lookup_calls where account = $1 and month = $2
