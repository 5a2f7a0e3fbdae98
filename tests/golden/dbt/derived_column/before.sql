select status, count(*) as orders
from {{ source('shop', 'orders_v1') }}
{{ config(materialized='view') }}
where status in ('P', 'O')
group by status
order by 1
