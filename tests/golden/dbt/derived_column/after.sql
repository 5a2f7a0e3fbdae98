select CASE state WHEN 'paid' THEN 'P' WHEN 'open' THEN 'O' ELSE 'X' END as status, count(*) as orders
from {{ source('shop', 'orders_v2') }}
{{ config(materialized='view') }}
where CASE state WHEN 'paid' THEN 'P' WHEN 'open' THEN 'O' ELSE 'X' END in ('P', 'O')
group by status
order by 1
