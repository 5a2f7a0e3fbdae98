UPDATE z
SET tag = t.tag
FROM y
JOIN (SELECT tag_id AS id, tag FROM core.tags_v2) AS t ON t.id = y.id
WHERE z.id = y.id;
SELECT id FROM z;
