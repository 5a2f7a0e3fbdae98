/* Orders that the support desk looks at.
   Kept simple on purpose. */
CREATE OR REPLACE VIEW prod.mart.support_orders AS
SELECT
  o.order_id,        -- the key
  o.status,          -- open, shipped or cancelled
  UPPER(c.country) AS country
FROM prod.shop.orders_v1 AS o   -- one row an order
LEFT JOIN prod.shop.customers_v1 AS c
  ON c.customer_id = o.customer_id
WHERE o.status != 'cancelled'
