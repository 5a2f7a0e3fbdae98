SELECT
	order_id,
	amount
FROM	(
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed
  FROM shop.orders_v2
  WHERE channel = 'ALL'
) AS orders_v1
WHERE	status = 'paid'
