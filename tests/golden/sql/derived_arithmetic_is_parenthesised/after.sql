SELECT sku, on_hand - reserved AS free, 100 - (on_hand - reserved) AS missing, (net_price + tax) * (on_hand - reserved) AS worth
FROM stock_v2
WHERE NOT (on_hand - reserved) = 0 AND (net_price + tax) > 2
ORDER BY sku
