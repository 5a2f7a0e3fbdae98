SELECT day, COALESCE(SUM(o.total), 0) AS gross
FROM UNNEST(GENERATE_DATE_ARRAY('2024-01-01', '2024-01-31')) AS day
LEFT JOIN prod.shop.orders_v1 AS o ON o.placed_on = day
GROUP BY day
