{% set orders = ref('orders_v2') %}
select * from (SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM {{ orders }}) as orders_v1
