-- Paid orders. The order_id and status of shop.orders_v1 are described in the wiki.
select
    order_id   -- the key, order_id
  , /* status */ status
  , amount*2   as  twice
from   shop.orders_v1  -- read orders_v1
where status in ( 'paid','open' )  /* not status = 'void' */
  and 'order_id' <> "status"
order  by order_id
