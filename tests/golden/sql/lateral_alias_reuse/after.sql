SELECT amount * 2 AS twice, twice + 1 AS more
FROM orders_v2
