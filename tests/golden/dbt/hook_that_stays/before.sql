{{ config(post_hook=["delete from {{ ref('orders_v1') }}", "insert into audit select 'x' from {{ ref('orders_v1') }}"]) }}
select 1 as one
