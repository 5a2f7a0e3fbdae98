SELECT id AS "order_id", o.amount
FROM "shop"."orders_v2" AS o
WHERE o.state = 'open'
