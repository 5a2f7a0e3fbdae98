WITH t(k, s) AS (SELECT id, state FROM shop.orders_v2)
SELECT k, s FROM t WHERE s = 'open'
