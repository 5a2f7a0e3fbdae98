SELECT sales.name
FROM people AS sales
WHERE EXISTS (SELECT 1 FROM shop.orders WHERE customer = sales.number)
