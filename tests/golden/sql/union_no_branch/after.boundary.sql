SELECT COUNT(*) AS n FROM (
  SELECT id AS order_id, 'web' AS channel, total AS amount, url AS source FROM web_orders WHERE NOT test
  UNION ALL
  SELECT order_no, 'app', amount, device FROM app_orders
) AS orders_v1 WHERE channel = 'fax'
