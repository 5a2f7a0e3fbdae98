SELECT o.order_no AS order_id, r.refund, o.device AS source
FROM app_orders AS o
JOIN refunds AS r ON r.order_id = o.order_no
WHERE o.amount > 1
