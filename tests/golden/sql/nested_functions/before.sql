SELECT COALESCE(UPPER(SUBSTR(status, 1, 1)), '-') AS s, ROUND(ABS(amount), 1) AS a
FROM shop.orders_v1
