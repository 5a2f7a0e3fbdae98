SELECT
  placed_on,
  COUNTIF(status = 'open') AS still_open,
  COUNTIF(status = 'cancelled') AS cancelled,
  SAFE_DIVIDE(COUNTIF(status = 'cancelled'), COUNT(*)) AS rate
FROM `prod`.`shop`.`orders_v1`
GROUP BY 1
