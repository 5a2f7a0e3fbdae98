SELECT order_id, amount FROM orders_v1 WHERE channel <> 'app' AND NOT channel = 'fax' AND amount > 5
