-- Paid orders. The order_id and status of shop.orders_v1 are described in the wiki.
select
    id as order_id   -- the key, order_id
  , /* status */ state as status
  , amount*2   as  twice
from   shop.orders_v2  -- read orders_v1
where state in ( 'paid','open' )  /* not status = 'void' */
  and 'order_id' <> state
order  by order_id
