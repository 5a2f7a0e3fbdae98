select o.order_id, o.status from (SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM {{source("shop","orders_v2")}}) o
where o.customer in (select customer from {{ref("stg_customers")}})
