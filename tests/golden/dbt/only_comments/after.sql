-- orders_v1 was read here
select 1 as one from {{ ref('stg_customers') }}
