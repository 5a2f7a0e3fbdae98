SELECT origin, COUNT(*) AS n
FROM legs_v1
GROUP BY origin
