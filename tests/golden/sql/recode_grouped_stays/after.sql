SELECT CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, CASE WHEN CASE tier WHEN 3 THEN 'premium' ELSE 'free' END = 'premium' THEN 1 ELSE 0 END AS paying, SUM(CASE WHEN tier = 3 THEN 1 END) AS n
FROM prod.core.users_v2
WHERE device = 'ALL'
GROUP BY plan
