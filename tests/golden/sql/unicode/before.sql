SELECT 'åäö – 日本語 😀' AS greeting, order_id AS "Größe", amount AS "😀"
FROM shop.orders_v1 /* ключ */
WHERE status <> 'ÅÄÖ'
