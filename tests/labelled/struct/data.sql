CREATE SCHEMA shop;
CREATE TABLE shop.orders_nested (id VARCHAR, buyer STRUCT(name VARCHAR, contact STRUCT(email VARCHAR, phone VARCHAR)), shipping STRUCT(city VARCHAR, country VARCHAR), payment STRUCT(amount BIGINT, refund BIGINT));
INSERT INTO shop.orders_nested VALUES
  ('o1', {'name': 'Ada', 'contact': {'email': 'a@x', 'phone': '1'}}, {'city': 'Lund', 'country': 'SE'}, {'amount': 100, 'refund': 0}),
  ('o2', {'name': 'Bo', 'contact': {'email': NULL, 'phone': '2'}}, {'city': 'Oslo', 'country': 'NO'}, {'amount': 50, 'refund': 50}),
  ('o3', {'name': NULL, 'contact': {'email': 'c@x', 'phone': NULL}}, {'city': NULL, 'country': 'SE'}, {'amount': 70, 'refund': NULL}),
  ('o4', NULL, NULL, NULL), ('o5', {'name': 'Ada', 'contact': NULL}, {'city': 'Lund', 'country': NULL}, {'amount': 10, 'refund': 20}),
  ('o1', {'name': 'Ada', 'contact': {'email': 'a@x', 'phone': '1'}}, {'city': 'Lund', 'country': 'SE'}, {'amount': 100, 'refund': 0}),
  ('o6', {'name': 'SE', 'contact': {'email': 'A@x', 'phone': 'a@x'}}, {'city': 'SE', 'country': 'Lund'}, {'amount': 60, 'refund': 10});
CREATE TABLE shop.members (email STRING, since BIGINT);
INSERT INTO shop.members VALUES ('a@x', 2020), ('c@x', 2021), ('z@x', 2022), (NULL, 2019);
