SELECT COUNT(*) AS n FROM orders_v1 WHERE channel = 'fax'
