SELECT client, SUM(metrics.pings) AS pings
FROM app.metrics
GROUP BY client
