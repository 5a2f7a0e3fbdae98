SELECT * FROM core."users_v1$partitions"
