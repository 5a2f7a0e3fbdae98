INSERT INTO prod.mart.open_orders (order_id, customer, amount)
SELECT order_id, customer_id, total FROM prod.shop.orders_v1 WHERE status = 'open' AND placed_on = @day
