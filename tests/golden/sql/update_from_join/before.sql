UPDATE z
SET tag = t.tag
FROM y
JOIN core.tags_v1 AS t ON t.id = y.id
WHERE z.id = y.id;
SELECT id FROM z;
