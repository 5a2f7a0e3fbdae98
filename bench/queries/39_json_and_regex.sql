SELECT order_id, REGEXP_EXTRACT(channel, r'^(\w+)') AS kind, TO_JSON_STRING(STRUCT(status, total)) AS payload
FROM prod.shop.orders_v1
WHERE REGEXP_CONTAINS(channel, r'^web')
