SELECT sales.name
FROM people AS sales
WHERE EXISTS (SELECT 1 FROM shop.sales AS orders WHERE buyer = sales.number)
