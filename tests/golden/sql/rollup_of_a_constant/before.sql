SELECT shop, sum(total) AS total FROM core.orders_v1 GROUP BY ROLLUP (shop) ORDER BY shop
