SELECT o.order_id, r.refund, o.source
FROM (
  SELECT id AS order_id, 1 AS channel, total AS amount, url AS source FROM web_orders WHERE NOT test
  UNION ALL
  SELECT order_no, 2, amount, device FROM app_orders
  UNION ALL
  SELECT order_no, 3, 0, NULL FROM app_orders WHERE device = 'pos'
) AS o
JOIN refunds AS r ON r.order_id = o.order_id
WHERE o.amount > 1 AND o.channel IN (2, 4)
