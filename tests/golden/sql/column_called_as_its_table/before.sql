SELECT client, metrics.uuid, SUM(metrics.visits) AS visits
FROM prod.web.metrics
WHERE metrics.uuid IS NOT NULL
GROUP BY client, metrics.uuid
