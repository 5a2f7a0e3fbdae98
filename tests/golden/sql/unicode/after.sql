SELECT 'åäö – 日本語 😀' AS greeting, id AS "Größe", amount AS "😀"
FROM shop.orders_v2 /* ключ */
WHERE state <> 'ÅÄÖ'
