SELECT min(COLUMNS('i.*')) FROM core.orders_v1
