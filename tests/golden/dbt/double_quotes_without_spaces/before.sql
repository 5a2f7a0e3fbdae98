select o.order_id, o.status from {{source("shop","orders_v1")}} o
where o.customer in (select customer from {{ref("stg_customers")}})
