SELECT a.leg, b.leg AS next
FROM legs_v2 a JOIN legs_v2 b ON a.origin = b.target
ORDER BY a.leg
