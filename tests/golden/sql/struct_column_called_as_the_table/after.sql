SELECT client_id AS client, SUM(metrics.pings) AS pings
FROM app.metrics_v2
WHERE channel = 'release'
GROUP BY client_id
