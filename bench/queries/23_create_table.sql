CREATE OR REPLACE TABLE prod.mart.daily_orders
PARTITION BY placed_on
AS
SELECT placed_on, country, COUNT(*) AS orders
FROM prod.shop.orders_v1
JOIN prod.shop.customers_v1 USING (customer_id)
GROUP BY placed_on, country
