SELECT client_id AS client, metrics.metrics.uuid, SUM(metrics.metrics.visits) AS visits
FROM prod.app.metrics
WHERE metrics.metrics.uuid IS NOT NULL
GROUP BY client_id, metrics.metrics.uuid
