SELECT r.refund, o.total AS amount
FROM refunds r
LEFT JOIN web_orders o ON o.id = r.order_id AND NOT o.test
