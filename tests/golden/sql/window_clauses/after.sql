SELECT id AS order_id,
       ROW_NUMBER() OVER (PARTITION BY buyer_id ORDER BY id DESC) AS nth,
       SUM(amount) OVER w AS running
FROM shop.orders_v2
WINDOW w AS (PARTITION BY state ORDER BY id)
