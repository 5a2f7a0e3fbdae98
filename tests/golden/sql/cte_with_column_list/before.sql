WITH t(k, s) AS (SELECT order_id, status FROM shop.orders_v1)
SELECT k, s FROM t WHERE s = 'open'
