select coalesce(current_setting('afluente.left_behind', true), '')
