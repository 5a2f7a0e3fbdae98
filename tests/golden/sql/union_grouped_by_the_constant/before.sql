SELECT channel, COUNT(*) AS n FROM orders_v1 WHERE channel = 'web' GROUP BY channel
