MERGE INTO prod.mart.balances AS target
USING (
  SELECT customer_id, SUM(total) AS spent FROM prod.shop.orders_v1 GROUP BY customer_id
) AS source
ON target.customer_id = source.customer_id
WHEN MATCHED THEN UPDATE SET spent = source.spent
WHEN NOT MATCHED THEN INSERT (customer_id, spent) VALUES (source.customer_id, source.spent)
