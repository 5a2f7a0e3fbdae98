-- everything, as it is
SELECT * FROM prod.shop.customers_v1
