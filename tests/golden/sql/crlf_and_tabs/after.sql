SELECT
	id AS order_id,
	amount
FROM	shop.orders_v2
WHERE	state = 'paid' AND channel = 'ALL'
