{% set orders = ref('orders_v1') %}
select * from {{ orders }}
