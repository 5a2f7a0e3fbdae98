SELECT r.refund, o.amount
FROM refunds r
LEFT JOIN (
  SELECT id AS order_id, 'web' AS channel, total AS amount, url AS source FROM web_orders WHERE NOT test
  UNION ALL
  SELECT order_no, 'app', amount, device FROM app_orders
) o ON o.order_id = r.order_id
WHERE o.channel = 'web'
