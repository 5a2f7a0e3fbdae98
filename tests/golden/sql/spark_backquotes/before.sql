SELECT `order_id`, o.amount
FROM `shop`.`orders_v1` o
WHERE o.`status` = 'paid'
