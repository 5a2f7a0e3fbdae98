select CASE state WHEN 'paid' THEN 'P' WHEN 'open' THEN 'O' ELSE 'X' END as status, count(*) as orders
from {{ source('shop', 'orders_v2') }}
{{ config(materialized='view') }}
where state in ('paid', 'open')
group by status
order by 1
