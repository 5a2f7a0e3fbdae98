SELECT * LIKE 't%' FROM core.orders_v1
