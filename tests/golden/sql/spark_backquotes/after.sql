SELECT id AS `order_id`, o.amount
FROM `shop`.`orders_v2` o
WHERE o.state = 'paid'
