SELECT p.category, SUM(l.quantity) AS sold
FROM prod.shop.products AS p
JOIN prod.shop.lines AS l ON l.product_id = p.product_id
GROUP BY p.category
