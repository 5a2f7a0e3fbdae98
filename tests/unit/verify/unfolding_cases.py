"""Rewrites that unfolding alone proves, and ones that look like it and are wrong: (migration, old, new)."""

from __future__ import annotations

U1 = "prod.core.users_v1"
U2 = "prod.core.users_v2"
PLAN = "CASE tier WHEN 3 THEN 'premium' ELSE 'free' END"

PROVEN: list[tuple[str, str, str]] = [
    # -- recodings in filters
    ("users", f"SELECT user_id FROM {U1} WHERE plan = 'premium'", f"SELECT account_id AS user_id FROM {U2} WHERE tier = 3 AND device = 'ALL'"),
    ("users", f"SELECT user_id FROM {U1} WHERE plan != 'free'", f"SELECT account_id AS user_id FROM {U2} WHERE tier = 3 AND device = 'ALL'"),
    ("users", f"SELECT user_id FROM {U1} WHERE plan = 'free'", f"SELECT account_id AS user_id FROM {U2} WHERE (tier <> 3 OR tier IS NULL) AND device = 'ALL'"),
    ("users", f"SELECT user_id FROM {U1} WHERE plan = 'free'", f"SELECT account_id AS user_id FROM {U2} WHERE tier IS DISTINCT FROM 3 AND device = 'ALL'"),
    ("users", f"SELECT user_id FROM {U1} WHERE plan IN ('premium', 'gold')", f"SELECT account_id AS user_id FROM {U2} WHERE tier = 3 AND device = 'ALL'"),
    ("users", f"SELECT user_id FROM {U1} WHERE plan IN ('premium', 'free') AND age > 3", f"SELECT account_id AS user_id FROM {U2} WHERE years > 3 AND device = 'ALL'"),
    ("users", f"SELECT SUM(IF(plan = 'premium', 1, 0)) AS p FROM {U1}", f"SELECT SUM(IF(tier = 3, 1, 0)) AS p FROM {U2} WHERE device = 'ALL'"),
    ("users", f"SELECT e.v FROM x.events e LEFT JOIN {U1} u ON e.uid = u.user_id AND u.plan != 'free'", f"SELECT e.v FROM x.events e LEFT JOIN {U2} u ON e.uid = u.account_id AND u.tier = 3 AND u.device = 'ALL'"),
    # -- the nullable side
    ("users", f"SELECT e.v, u.plan FROM x.events e LEFT JOIN {U1} u ON e.uid = u.user_id", f"SELECT e.v, u.plan FROM x.events e LEFT JOIN (SELECT account_id, {PLAN} AS plan FROM {U2} WHERE device = 'ALL') u ON e.uid = u.account_id"),
    ("users", f"SELECT e.v, u.plan FROM x.events e LEFT JOIN {U1} u ON e.uid = u.user_id", f"SELECT e.v, u.plan FROM x.events e LEFT JOIN (SELECT *, {PLAN} AS plan FROM {U2}) u ON e.uid = u.account_id AND u.device = 'ALL'"),
    ("users", f"SELECT e.v, u.plan FROM x.events e LEFT JOIN {U1} u ON e.uid = u.user_id AND u.plan != 'free'", f"SELECT e.v, u.plan FROM x.events e LEFT JOIN (SELECT account_id, {PLAN} AS plan, tier FROM {U2} WHERE device = 'ALL') u ON e.uid = u.account_id AND u.tier = 3"),
    ("users", f"SELECT c.v, o.age FROM {U1} o RIGHT JOIN x.c ON o.user_id = c.uid AND o.plan = 'premium'", f"SELECT c.v, o.years AS age FROM {U2} o RIGHT JOIN x.c ON o.account_id = c.uid AND o.tier = 3 AND o.device = 'ALL'"),
    ("users", f"SELECT country, ARRAY_AGG(STRUCT(user_id, plan) ORDER BY age LIMIT 5) AS a FROM {U1} GROUP BY country", f"SELECT geo.country, ARRAY_AGG(STRUCT(account_id AS user_id, {PLAN} AS plan) ORDER BY years LIMIT 5) AS a FROM {U2} WHERE device = 'ALL' GROUP BY geo.country"),
    ("users", f"SELECT COALESCE(plan, '-') AS plan, COUNT(*) AS n FROM {U1} GROUP BY COALESCE(plan, '-')", f"SELECT COALESCE({PLAN}, '-') AS plan, COUNT(*) AS n FROM {U2} WHERE device = 'ALL' GROUP BY COALESCE({PLAN}, '-')"),
    ("users", f"SELECT DISTINCT country, city FROM {U1}", f"SELECT geo.country, geo.city FROM {U2} WHERE device = 'ALL' GROUP BY geo.city, geo.country"),
    ("users", f"SELECT user_id FROM {U1} WHERE NOT (plan = 'free' OR age > 3)", f"SELECT account_id AS user_id FROM {U2} WHERE tier = 3 AND NOT years > 3 AND device = 'ALL'"),
    ("users", f"SELECT user_id FROM {U1} WHERE plan = 'free'", f"SELECT account_id AS user_id FROM {U2} WHERE COALESCE(tier, 0) <> 3 AND device = 'ALL'"),
    ("split", "SELECT name FROM people WHERE street = 'Elm'", "SELECT p.full_name AS name FROM persons p JOIN addresses a ON a.person_id = p.id WHERE a.street = 'Elm'"),
    # -- WITH entries
    ("users", f"WITH u AS (SELECT user_id FROM {U1}) SELECT user_id FROM u", f"SELECT account_id AS user_id FROM {U2} WHERE device = 'ALL'"),
    ("users", f"SELECT user_id, age FROM {U1} a JOIN x.e ON e.uid = a.user_id", f"WITH u AS (SELECT account_id, years FROM {U2} WHERE device = 'ALL') SELECT account_id AS user_id, years AS age FROM u JOIN x.e ON e.uid = u.account_id"),
    # -- what says something else each time it is looked at
    ("users", f"SELECT user_id FROM {U1} WHERE RAND() < 0.1", f"SELECT account_id AS user_id FROM {U2} WHERE device = 'ALL' AND RAND() < 0.1"),
    ("users", f"SELECT user_id, GENERATE_UUID() AS g FROM {U1}", f"SELECT account_id AS user_id, GENERATE_UUID() AS g FROM {U2} WHERE device = 'ALL'"),
    ("users", f"SELECT user_id FROM {U1} WHERE x.udf(age) = CURRENT_DATE()", f"SELECT account_id AS user_id FROM {U2} WHERE x.udf(years) = CURRENT_DATE() AND device = 'ALL'"),
    # -- joins
    ("split", "SELECT name, street FROM people", "SELECT p.full_name AS name, a.street FROM persons p LEFT JOIN addresses a ON p.id = a.person_id"),
    ("split", "SELECT name FROM people", "SELECT full_name AS name FROM persons"),
    ("split", "SELECT name FROM people WHERE street LIKE 'A%'", "SELECT p.full_name AS name FROM persons p LEFT JOIN addresses a ON p.id = a.person_id WHERE a.street LIKE 'A%'"),
    ("split", "SELECT x.v, people.street FROM x JOIN people ON people.id = x.pid", "SELECT x.v, a.street FROM x JOIN persons AS p ON p.id = x.pid LEFT JOIN addresses a ON p.id = a.person_id"),
    ("split", "SELECT x.v, people.name FROM x JOIN people ON people.id = x.pid", "SELECT x.v, p.full_name AS name FROM x JOIN persons AS p ON p.id = x.pid"),
    ("split", "SELECT x.v, people.street FROM x LEFT JOIN people ON people.id = x.pid", "SELECT x.v, a.street FROM x LEFT JOIN persons AS p ON p.id = x.pid LEFT JOIN addresses a ON p.id = a.person_id"),
    ("split", "SELECT x.v, people.name FROM x LEFT JOIN people ON people.id = x.pid", "SELECT x.v, p.full_name AS name FROM x LEFT JOIN persons AS p ON p.id = x.pid"),
    ("split", "SELECT COUNT(*) AS n FROM people", "SELECT COUNT(*) AS n FROM persons"),
    # -- USING, star REPLACE, qualified foreign names
    ("orders", "SELECT c.name, o_total FROM orders JOIN c USING (o_custkey)", "SELECT c.name, amount AS o_total FROM sales.orders_v2 AS orders JOIN c ON orders.customer_id = c.o_custkey"),
    ("users", f"SELECT * REPLACE (UPPER(country) AS country) FROM (SELECT user_id, country FROM {U1})", f"SELECT account_id AS user_id, UPPER(geo.country) AS country FROM {U2} WHERE device = 'ALL'"),
    # -- unions with a discriminator
    ("events", "SELECT id, n FROM d.events WHERE platform = 'web'", "SELECT web_id AS id, n FROM d.web"),
    ("events", "SELECT id, n FROM d.events WHERE platform = 'app' AND n > 3", "SELECT app_id AS id, n FROM d.app WHERE NOT deleted AND n > 3"),
    ("events", "SELECT COUNT(*) AS n FROM d.events WHERE platform = 'web'", "SELECT COUNT(*) AS n FROM d.web"),
    ("events", "SELECT id, n FROM d.events WHERE platform IN ('web', 'app') AND n > 3", "SELECT web_id AS id, n FROM d.web WHERE n > 3 UNION ALL SELECT app_id AS id, n FROM d.app WHERE NOT deleted AND n > 3"),
    ("events", "SELECT x.v, e.n FROM d.x JOIN d.events e ON x.id = e.id AND e.platform = 'web'", "SELECT x.v, e.n FROM d.x JOIN d.web e ON x.id = e.web_id"),
    ("events", "SELECT x.v, e.n FROM d.x LEFT JOIN d.events e ON x.id = e.id AND e.platform = 'web'", "SELECT x.v, e.n FROM d.x LEFT JOIN d.web e ON x.id = e.web_id"),
    ("events", "SELECT day, SUM(n) AS s FROM d.events WHERE platform <> 'tv' GROUP BY day", "SELECT day, SUM(n) AS s FROM (SELECT day, n FROM d.web UNION ALL SELECT day, n FROM d.app WHERE NOT deleted) GROUP BY day"),
    ("events", "SELECT id FROM d.events WHERE tier = 'low' AND platform = 'web'", "SELECT web_id AS id FROM d.web WHERE lvl = 1"),
    # -- an older grain
    ("daily", "SELECT day, SUM(total) AS t FROM d.daily GROUP BY day", "SELECT day, SUM(amount) AS t FROM d.visits WHERE valid GROUP BY day"),
    ("daily", "SELECT day, SUM(n) AS n FROM d.daily WHERE country = 'SE' GROUP BY day", "SELECT day, COUNT(*) AS n FROM d.visits WHERE valid AND country = 'SE' GROUP BY day"),
    ("daily", "SELECT day, country, n FROM d.daily", "SELECT day, country, COUNT(*) AS n FROM d.visits WHERE valid GROUP BY day, country"),
    ("daily", "SELECT country, n FROM d.daily WHERE day = '2024-01-01' AND n > 10", "SELECT country, COUNT(*) AS n FROM d.visits WHERE valid AND day = '2024-01-01' GROUP BY 1, day HAVING COUNT(*) > 10"),
    ("daily", "SELECT MAX(top) AS m, COUNT(DISTINCT country) AS c FROM d.daily", "SELECT MAX(score) AS m, COUNT(DISTINCT country) AS c FROM d.visits WHERE valid"),
    ("daily", "SELECT DISTINCT country FROM d.daily", "SELECT DISTINCT country FROM d.visits WHERE valid"),
    ("daily", "SELECT l.region, SUM(v.total) AS t, MAX(l.people) AS p FROM d.lands l LEFT JOIN d.daily v ON v.country = l.code GROUP BY l.region", "SELECT l.region, SUM(v.amount) AS t, MAX(l.people) AS p FROM d.lands l LEFT JOIN d.visits v ON v.country = l.code AND v.valid GROUP BY l.region"),
    ("daily", "SELECT region FROM d.lands WHERE code IN (SELECT country FROM d.daily WHERE day = '2024-01-01')", "SELECT region FROM d.lands WHERE code IN (SELECT country FROM d.visits WHERE day = '2024-01-01' AND valid)"),
    ("daily", "SELECT day, SUM(IF(country = 'SE', total, 0)) AS se FROM d.daily GROUP BY day", "SELECT day, SUM(IF(country = 'SE', amount, 0)) AS se FROM d.visits WHERE valid GROUP BY day"),
]  # fmt: skip

WRONG: list[tuple[str, str, str]] = [
    ("users", f"SELECT user_id FROM {U1} WHERE plan = 'free'", f"SELECT account_id AS user_id FROM {U2} WHERE tier <> 3 AND device = 'ALL'"),
    ("users", f"SELECT user_id FROM {U1} WHERE NOT plan = 'premium'", f"SELECT account_id AS user_id FROM {U2} WHERE NOT tier = 3 AND device = 'ALL'"),
    ("users", f"SELECT user_id FROM {U1} WHERE plan = 'Premium'", f"SELECT account_id AS user_id FROM {U2} WHERE tier = 3 AND device = 'ALL'"),
    ("users", f"SELECT plan = 'premium' AS p FROM {U1}", f"SELECT tier = 3 AS p FROM {U2} WHERE device = 'ALL'"),
    ("users", f"SELECT e.v, u.plan FROM x.events e LEFT JOIN {U1} u ON e.uid = u.user_id", f"SELECT e.v, {PLAN.replace('tier', 'u.tier')} AS plan FROM x.events e LEFT JOIN {U2} u ON e.uid = u.account_id AND u.device = 'ALL'"),
    ("users", f"SELECT e.v FROM x.events e LEFT JOIN {U1} u ON e.uid = u.user_id WHERE u.plan = 'free'", f"SELECT e.v FROM x.events e LEFT JOIN {U2} u ON e.uid = u.account_id AND u.device = 'ALL' WHERE u.tier IS DISTINCT FROM 3"),
    ("users", f"SELECT user_id, r FROM {U1}, (SELECT RAND() AS r)", f"SELECT account_id AS user_id, RAND() AS r FROM {U2} WHERE device = 'ALL'"),
    ("users", f"SELECT r, r AS s FROM (SELECT user_id, RAND() AS r FROM {U1})", f"SELECT RAND() AS r, RAND() AS s FROM {U2} WHERE device = 'ALL'"),
    ("users", f"SELECT user_id, RAND() AS r FROM {U1} ORDER BY r", f"SELECT account_id AS user_id, RAND() AS r FROM {U2} WHERE device = 'ALL' ORDER BY RAND()"),
    ("users", f"SELECT user_id FROM {U1} WHERE RAND() < 0.5 AND RAND() < 0.5", f"SELECT account_id AS user_id FROM {U2} WHERE device = 'ALL' AND RAND() < 0.5"),
    ("users", f"WITH r AS (SELECT RAND() AS v) SELECT a.v AS x, b.v AS y FROM {U1}, r a, r b", f"WITH r AS (SELECT RAND() AS v), q AS (SELECT RAND() AS v) SELECT a.v AS x, b.v AS y FROM {U2}, r a, q b WHERE device = 'ALL'"),
    ("users", f"SELECT user_id FROM {U1} WHERE plan = 'free'", f"SELECT account_id AS user_id FROM {U2} WHERE COALESCE(tier, 3) <> 3 AND device = 'ALL'"),
    ("users", f"SELECT country, STRUCT(user_id, plan) AS a FROM {U1}", f"SELECT geo.country, STRUCT(account_id, {PLAN} AS plan) AS a FROM {U2} WHERE device = 'ALL'"),
    ("users", f"SELECT APPROX_COUNT_DISTINCT(user_id) AS n FROM {U1}", f"SELECT COUNT(DISTINCT account_id) AS n FROM {U2} WHERE device = 'ALL'"),
    ("users", f"SELECT GREATEST(age, 3) AS n FROM {U1}", f"SELECT CASE WHEN years > 3 THEN years ELSE 3 END AS n FROM {U2} WHERE device = 'ALL'"),
    ("users", f"SELECT ARRAY_AGG(user_id ORDER BY age, user_id) AS a FROM {U1}", f"SELECT ARRAY_AGG(account_id) AS a FROM {U2} WHERE device = 'ALL'"),
    ("users", f"SELECT country, ANY_VALUE(city) AS c FROM {U1} GROUP BY country", f"SELECT geo.country, MAX(geo.city) AS c FROM {U2} WHERE device = 'ALL' GROUP BY geo.country"),
    ("split", "SELECT name FROM people WHERE street IS NULL", "SELECT p.full_name AS name FROM persons p JOIN addresses a ON a.person_id = p.id WHERE a.street IS NULL"),
    ("split", "SELECT name, street FROM people", "SELECT full_name AS name, CAST(NULL AS VARCHAR) AS street FROM persons"),
    ("split", "SELECT x.v, people.street FROM x LEFT JOIN people ON people.street = x.s", "SELECT x.v, a.street FROM x LEFT JOIN persons AS p ON TRUE LEFT JOIN addresses a ON p.id = a.person_id AND a.street = x.s"),
    ("split", "SELECT x.v, people.name FROM x JOIN people ON people.id = x.pid AND people.street = 'a'", "SELECT x.v, p.full_name AS name FROM x JOIN persons AS p ON p.id = x.pid"),
    ("events", "SELECT id, n FROM d.events WHERE platform = 'web'", "SELECT app_id AS id, n FROM d.app WHERE NOT deleted"),
    ("events", "SELECT id, n FROM d.events WHERE platform <> 'tv'", "SELECT web_id AS id, n FROM d.web"),
    ("events", "SELECT id, n FROM d.events WHERE platform = 'web' OR n > 3", "SELECT web_id AS id, n FROM d.web"),
    ("events", "SELECT id, n FROM d.events WHERE platform = 'app'", "SELECT app_id AS id, n FROM d.app"),
    ("events", "SELECT DISTINCT id FROM d.events WHERE platform <> 'tv'", "SELECT DISTINCT web_id AS id FROM d.web UNION ALL SELECT DISTINCT app_id FROM d.app WHERE NOT deleted"),
    ("daily", "SELECT day, COUNT(*) AS n FROM d.daily GROUP BY day", "SELECT day, COUNT(*) AS n FROM d.visits WHERE valid GROUP BY day"),
    ("daily", "SELECT SUM(n) AS n FROM d.daily", "SELECT COUNT(*) AS n FROM d.visits WHERE valid"),
    ("daily", "SELECT l.region, SUM(v.total) AS t, SUM(l.people) AS p FROM d.lands l LEFT JOIN d.daily v ON v.country = l.code GROUP BY l.region", "SELECT l.region, SUM(v.amount) AS t, SUM(l.people) AS p FROM d.lands l LEFT JOIN d.visits v ON v.country = l.code AND v.valid GROUP BY l.region"),
    ("daily", "SELECT l.region, SUM(v.n) AS n FROM d.lands l LEFT JOIN d.daily v ON v.country = l.code GROUP BY l.region", "SELECT l.region, COUNT(*) AS n FROM d.lands l LEFT JOIN d.visits v ON v.country = l.code AND v.valid GROUP BY l.region"),
    ("daily", "SELECT day, AVG(total) AS t FROM d.daily GROUP BY day", "SELECT day, AVG(amount) AS t FROM d.visits WHERE valid GROUP BY day"),
    ("daily", "SELECT country, n FROM d.daily", "SELECT country, COUNT(*) AS n FROM d.visits WHERE valid GROUP BY country"),
    ("daily", "SELECT country FROM d.daily", "SELECT DISTINCT country FROM d.visits WHERE valid"),
    ("daily", "SELECT day, SUM(IF(country = 'SE', total, 1)) AS se FROM d.daily GROUP BY day", "SELECT day, SUM(IF(country = 'SE', amount, 1)) AS se FROM d.visits WHERE valid GROUP BY day"),
    ("daily", "SELECT day, SUM(n) AS n FROM d.daily WHERE n > 1 GROUP BY day", "SELECT day, COUNT(*) AS n FROM d.visits WHERE valid GROUP BY day HAVING COUNT(*) > 1"),
    ("daily", "SELECT day, MAX(total) AS t FROM d.daily GROUP BY day", "SELECT day, MAX(amount) AS t FROM d.visits WHERE valid GROUP BY day"),
]  # fmt: skip
