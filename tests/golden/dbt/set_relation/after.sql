{% set orders = ref('orders_v2') %}
select id as order_id, buyer_id as customer, amount, state as status, placed from {{ orders }}
