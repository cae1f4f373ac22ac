select set_config('afluente.left_behind', $1, false)
