CREATE TABLE stock_v2 (sku VARCHAR, on_hand INTEGER, reserved INTEGER, net_price DOUBLE, tax DOUBLE);
INSERT INTO stock_v2 VALUES ('a', 10, 3, 2.0, 0.5), ('b', 5, 5, 8.0, 2.0), ('c', 7, NULL, 1.0, 0.25);
