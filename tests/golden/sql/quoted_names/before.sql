SELECT "order_id", o."amount"
FROM "shop"."orders_v1" AS o
WHERE o."status" = 'open'
