SELECT leg, target AS origin, origin AS target
FROM legs_v2
WHERE target = 'ARN' OR origin IS NULL
ORDER BY leg
