SELECT a.leg, b.leg AS next
FROM legs_v1 a JOIN legs_v1 b ON a.target = b.origin
ORDER BY a.leg
