select make_partitions(now(), 9, 4)
