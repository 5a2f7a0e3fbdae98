SELECT leg, origin, target
FROM legs_v1
WHERE origin = 'ARN' OR target IS NULL
ORDER BY leg
