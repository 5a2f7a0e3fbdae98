SELECT buyer_id AS customer, sum(cents) AS `sum(amount)`, max(state) AS last
FROM shop.orders_v2
GROUP BY buyer_id
