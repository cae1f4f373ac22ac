select drop_partition(name) from input
