{{ config(post_hook="insert into audit select count(*) from shop.orders_v2") }}
select 1 as one
