-- was orders_v1
select order_id, status from {{ ref('stg_orders') }} {# orders_v1 is gone #}
join {{ source('other', 'orders_v1') }} using (order_id)
where note <> 'orders_v1 says {{ var("x") }}'
