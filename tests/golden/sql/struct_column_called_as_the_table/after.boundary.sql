SELECT client, SUM(metrics.pings) AS pings
FROM (
  SELECT client_id AS client, metrics FROM app.metrics_v2 WHERE channel = 'release'
) AS metrics
GROUP BY client
