SELECT channel, COUNT(*) AS order_count
FROM prod.shop.orders_v1
WHERE placed_on >= '2024-07-01' AND placed_on < '2024-10-01'
  AND EXISTS (
    SELECT 1 FROM prod.shop.lines
    WHERE lines.order_id = orders_v1.order_id AND lines.received_on > lines.promised_on)
GROUP BY channel
ORDER BY channel
