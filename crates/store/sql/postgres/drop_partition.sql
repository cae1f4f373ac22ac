select drop_partition($1) is not null
