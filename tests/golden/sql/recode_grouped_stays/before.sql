SELECT plan, CASE WHEN plan = 'premium' THEN 1 ELSE 0 END AS paying, SUM(CASE WHEN plan = 'premium' THEN 1 END) AS n
FROM prod.core.users_v1
GROUP BY plan
