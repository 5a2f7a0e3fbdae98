with paid as ({{ paid_orders() }})
select * from paid
