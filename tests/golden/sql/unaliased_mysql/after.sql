SELECT buyer_id AS customer, SUM( cents ) / 100 AS `SUM( amount ) / 100`, CASE WHEN MAX(state) = 'paid' THEN 1 END AS `CASE WHEN MAX(status) = 'paid' THEN 1 END`, (buyer_id) AS `customer`
FROM shop.orders_v2
GROUP BY buyer_id
