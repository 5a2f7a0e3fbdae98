{% set orders = ref('orders_v1') %}
select {{ audit(orders) }} as n from {{ orders }}
