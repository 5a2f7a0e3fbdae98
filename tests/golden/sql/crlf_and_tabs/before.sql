SELECT
	order_id,
	amount
FROM	shop.orders_v1
WHERE	status = 'paid'
