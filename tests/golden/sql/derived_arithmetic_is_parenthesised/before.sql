SELECT sku, free, 100 - free AS missing, price * free AS worth
FROM stock_v1
WHERE NOT free = 0 AND price > 2
ORDER BY sku
