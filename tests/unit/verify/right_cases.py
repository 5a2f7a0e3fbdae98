"""Rewrites that are right: (migration, what is shown, old, new). Each must be proven or tested."""

from __future__ import annotations

U1 = "prod.core.users_v1"
U2 = "prod.core.users_v2"
M = (
    "(SELECT account_id AS user_id, geo.country AS country, geo.city AS city, "
    "CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, years AS age FROM prod.core.users_v2 WHERE device = 'ALL')"
)

RIGHT: list[tuple[str, str, str, str]] = [
    ("users", "project", f"SELECT user_id, age FROM {U1}", f"SELECT account_id AS user_id, years AS age FROM {U2} WHERE device = 'ALL'"),
    ("users", "field keeps its name", f"SELECT country FROM {U1}", f"SELECT geo.country FROM {U2} WHERE device = 'ALL'"),
    ("users", "boundary", f"SELECT country FROM {U1} AS u WHERE u.age > 3", f"SELECT country FROM {M} AS u WHERE u.age > 3"),
    ("users", "boundary, no alias", f"SELECT users_v1.country FROM {U1} WHERE age > 3", f"SELECT users_v1.country FROM {M} AS users_v1 WHERE age > 3"),
    ("users", "boundary as WITH", f"SELECT country FROM {U1} AS u JOIN x.e USING (user_id)", f"WITH users_v1 AS {M} SELECT country FROM users_v1 AS u JOIN x.e USING (user_id)"),
    ("users", "star in a subquery", f"SELECT COUNT(*) AS n FROM (SELECT * FROM {U1})", f"SELECT COUNT(*) AS n FROM (SELECT * FROM {M} AS users_v1)"),
    ("users", "recode solved", f"SELECT user_id FROM {U1} WHERE plan = 'premium'", f"SELECT account_id AS user_id FROM {U2} WHERE tier = 3 AND device = 'ALL'"),
    ("users", "recode kept", f"SELECT plan, COUNT(*) AS n FROM {U1} GROUP BY plan", f"SELECT CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, COUNT(*) AS n FROM {U2} WHERE device = 'ALL' GROUP BY CASE tier WHEN 3 THEN 'premium' ELSE 'free' END"),
    ("users", "group by alias", f"SELECT plan, COUNT(*) AS n FROM {U1} GROUP BY 1 ORDER BY n DESC, plan", f"SELECT CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, COUNT(*) AS n FROM {U2} WHERE device = 'ALL' GROUP BY 1 ORDER BY n DESC, plan"),
    ("users", "join", f"SELECT e.v, u.age FROM x.events e JOIN {U1} u ON e.uid = u.user_id", f"SELECT e.v, u.years AS age FROM x.events e JOIN {U2} u ON e.uid = u.account_id WHERE u.device = 'ALL'"),
    ("users", "join, filter in ON", f"SELECT e.v, u.age FROM x.events e JOIN {U1} u ON e.uid = u.user_id", f"SELECT e.v, u.years AS age FROM x.events e JOIN {U2} u ON e.uid = u.account_id AND u.device = 'ALL'"),
    ("users", "left join, filter in ON", f"SELECT e.v, u.age FROM x.events e LEFT JOIN {U1} u ON e.uid = u.user_id", f"SELECT e.v, u.years AS age FROM x.events e LEFT JOIN {U2} u ON e.uid = u.account_id AND u.device = 'ALL'"),
    ("users", "left join of a recode as a subquery", f"SELECT e.v, u.plan FROM x.events e LEFT JOIN {U1} u ON e.uid = u.user_id", f"SELECT e.v, u.plan FROM x.events e LEFT JOIN (SELECT account_id, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan FROM {U2} WHERE device = 'ALL') u ON e.uid = u.account_id"),
    ("users", "preserved side, filter in WHERE", f"SELECT u.age, e.v FROM {U1} u LEFT JOIN x.events e ON e.uid = u.user_id", f"SELECT u.years AS age, e.v FROM {U2} u LEFT JOIN x.events e ON e.uid = u.account_id WHERE u.device = 'ALL'"),
    ("users", "self join", f"SELECT a.user_id, b.user_id AS other FROM {U1} a JOIN {U1} b ON a.city = b.city AND a.age < b.age", f"SELECT a.account_id AS user_id, b.account_id AS other FROM {U2} a JOIN {U2} b ON a.geo.city = b.geo.city AND a.years < b.years WHERE a.device = 'ALL' AND b.device = 'ALL'"),
    ("users", "correlated EXISTS", f"SELECT e.uid FROM x.events e WHERE EXISTS (SELECT 1 FROM {U1} u WHERE u.user_id = e.uid AND u.age > 3)", f"SELECT e.uid FROM x.events e WHERE EXISTS (SELECT 1 FROM {U2} u WHERE u.account_id = e.uid AND u.years > 3 AND u.device = 'ALL')"),
    ("users", "NOT IN", f"SELECT e.uid FROM x.events e WHERE e.uid NOT IN (SELECT user_id FROM {U1} WHERE user_id IS NOT NULL)", f"SELECT e.uid FROM x.events e WHERE e.uid NOT IN (SELECT account_id FROM {U2} WHERE account_id IS NOT NULL AND device = 'ALL')"),
    ("users", "scalar subquery", f"SELECT user_id FROM {U1} WHERE age > (SELECT AVG(age) FROM {U1})", f"SELECT account_id AS user_id FROM {U2} WHERE years > (SELECT AVG(years) FROM {U2} WHERE device = 'ALL') AND device = 'ALL'"),
    ("users", "window", f"SELECT user_id, RANK() OVER (PARTITION BY country ORDER BY age) AS r FROM {U1}", f"SELECT account_id AS user_id, RANK() OVER (PARTITION BY geo.country ORDER BY years) AS r FROM {U2} WHERE device = 'ALL'"),
    ("users", "qualify with ties", f"SELECT user_id, age FROM {U1} WHERE age > 1 QUALIFY ROW_NUMBER() OVER (PARTITION BY country ORDER BY age) = 1", f"SELECT account_id AS user_id, years AS age FROM {U2} WHERE years > 1 AND device = 'ALL' QUALIFY ROW_NUMBER() OVER (PARTITION BY geo.country ORDER BY years) = 1"),
    ("users", "limit with order", f"SELECT user_id FROM {U1} ORDER BY age DESC LIMIT 100", f"SELECT account_id AS user_id FROM {U2} WHERE device = 'ALL' ORDER BY years DESC LIMIT 100"),
    ("users", "union", f"SELECT country FROM {U1} UNION ALL SELECT city FROM {U1}", f"SELECT geo.country FROM {U2} WHERE device = 'ALL' UNION ALL SELECT geo.city FROM {U2} WHERE device = 'ALL'"),
    ("users", "create and read", f"CREATE TEMP TABLE t AS SELECT user_id, age FROM {U1}; SELECT user_id FROM t WHERE age > 3", f"CREATE TEMP TABLE t AS SELECT account_id AS user_id, years AS age FROM {U2} WHERE device = 'ALL'; SELECT user_id FROM t WHERE age > 3"),
    ("users", "insert", f"INSERT INTO x.t (a, b) SELECT country, city FROM {U1}", f"INSERT INTO x.t (a, b) SELECT geo.country, geo.city FROM {U2} WHERE device = 'ALL'"),
    ("users", "parameter", f"SELECT e.v, u.age FROM x.events e JOIN {U1} u ON e.uid = u.user_id WHERE e.submission_date = @submission_date", f"SELECT e.v, u.years AS age FROM x.events e JOIN {U2} u ON e.uid = u.account_id WHERE u.device = 'ALL' AND e.submission_date = @submission_date"),
    ("users", "a function of the fleet's own", f"SELECT mozfun.norm.it(country) AS c FROM {U1}", f"SELECT mozfun.norm.it(geo.country) AS c FROM {U2} WHERE device = 'ALL'"),
    ("users", "case of the dimension", f"SELECT SUM(IF(plan = 'premium', 1, 0)) AS p FROM {U1}", f"SELECT SUM(IF(tier = 3, 1, 0)) AS p FROM {U2} WHERE device = 'ALL'"),
    ("users", "CTE over the read", f"WITH u AS (SELECT user_id, plan FROM {U1}) SELECT plan, COUNT(DISTINCT user_id) AS n FROM u GROUP BY plan", f"WITH u AS (SELECT account_id AS user_id, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan FROM {U2} WHERE device = 'ALL') SELECT plan, COUNT(DISTINCT user_id) AS n FROM u GROUP BY plan"),
    ("users", "merge", f"MERGE INTO x.t USING (SELECT user_id, age FROM {U1}) s ON t.uid = s.user_id WHEN MATCHED THEN UPDATE SET age = s.age WHEN NOT MATCHED THEN INSERT (uid, age) VALUES (s.user_id, s.age)", f"MERGE INTO x.t USING (SELECT account_id AS user_id, years AS age FROM {U2} WHERE device = 'ALL') s ON t.uid = s.user_id WHEN MATCHED THEN UPDATE SET age = s.age WHEN NOT MATCHED THEN INSERT (uid, age) VALUES (s.user_id, s.age)"),
    ("users", "merge boundary", f"MERGE INTO x.t USING {U1} AS s ON t.uid = s.user_id WHEN MATCHED AND s.age > 3 THEN UPDATE SET plan = s.plan WHEN NOT MATCHED BY SOURCE THEN DELETE", f"MERGE INTO x.t USING {M} AS s ON t.uid = s.user_id WHEN MATCHED AND s.age > 3 THEN UPDATE SET plan = s.plan WHEN NOT MATCHED BY SOURCE THEN DELETE"),
    ("users", "delete", f"DELETE FROM x.t WHERE uid IN (SELECT user_id FROM {U1})", f"DELETE FROM x.t WHERE uid IN (SELECT account_id FROM {U2} WHERE device = 'ALL')"),
    ("users", "update", f"UPDATE x.t SET age = u.age FROM {U1} u WHERE t.uid = u.user_id", f"UPDATE x.t SET age = u.years FROM {U2} u WHERE t.uid = u.account_id AND u.device = 'ALL'"),
    ("orders", "rename", "SELECT o_orderkey, o_total FROM orders WHERE o_status = 'F'", "SELECT order_id AS o_orderkey, amount AS o_total FROM sales.orders_v2 WHERE o_status = 'F'"),
    ("orders", "a column in parentheses", "SELECT DISTINCT (o_status) FROM orders", "SELECT DISTINCT o_status FROM sales.orders_v2"),
    ("orders", "alias kept", "SELECT orders.o_total FROM orders", "SELECT orders.amount AS o_total FROM sales.orders_v2 AS orders"),
    ("orders", "star spelled out", "SELECT * FROM orders", "SELECT order_id AS o_orderkey, customer_id AS o_custkey, o_status, amount AS o_total, o_date, comment AS o_note FROM sales.orders_v2"),
    ("orders", "limit without order, only renamed", "SELECT o_orderkey FROM orders LIMIT 10", "SELECT order_id AS o_orderkey FROM sales.orders_v2 LIMIT 10"),
    ("orders", "except", "SELECT o_custkey FROM orders EXCEPT SELECT c_custkey FROM customer", "SELECT customer_id AS o_custkey FROM sales.orders_v2 EXCEPT SELECT c_custkey FROM customer"),
    ("orders", "rollup", "SELECT o_status, SUM(o_total) AS s FROM orders GROUP BY ROLLUP (o_status)", "SELECT o_status, SUM(amount) AS s FROM sales.orders_v2 GROUP BY ROLLUP (o_status)"),
    ("orders", "nothing to do", "SELECT 1 AS x", "SELECT 1 AS x"),
    ("swap", "swap", "SELECT sku, net FROM prices WHERE gross > 10", "SELECT sku, gross AS net FROM prices_v2 WHERE net > 10"),
    ("swap", "star", "SELECT * FROM prices", "SELECT sku, gross AS net, net AS gross FROM prices_v2"),
    ("swap", "order", "SELECT sku, net FROM prices ORDER BY net, sku", "SELECT sku, gross AS net FROM prices_v2 ORDER BY gross, sku"),
    ("split", "boundary", "SELECT name FROM people WHERE street LIKE 'A%'", "SELECT name FROM (SELECT p.id, p.full_name AS name, a.street FROM persons AS p LEFT JOIN addresses AS a ON a.person_id = p.id) AS people WHERE street LIKE 'A%'"),
    ("split", "by hand", "SELECT name, street FROM people", "SELECT p.full_name AS name, a.street FROM persons p LEFT JOIN addresses a ON p.id = a.person_id"),
    ("split", "one table is enough when the key is unique", "SELECT name FROM people", "SELECT full_name AS name FROM persons"),
    ("retype", "cast", "SELECT day, SUM(seconds) AS s FROM visits GROUP BY day", "SELECT CAST(started AS DATE) AS day, SUM(millis // 1000) AS s FROM visits_v2 GROUP BY CAST(started AS DATE)"),
    ("retype", "range of days as timestamps", "SELECT seconds FROM visits WHERE day = DATE '2024-01-05'", "SELECT millis // 1000 AS seconds FROM visits_v2 WHERE started >= TIMESTAMP '2024-01-05 00:00:00' AND started < TIMESTAMP '2024-01-06 00:00:00'"),
]  # fmt: skip
