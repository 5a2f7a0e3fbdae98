SELECT target AS origin, COUNT(*) AS n
FROM legs_v2
GROUP BY target
