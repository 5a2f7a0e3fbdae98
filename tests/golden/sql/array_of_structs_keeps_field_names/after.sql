SELECT z.tag, ARRAY(SELECT AS STRUCT t.tag_id AS id, t.tag FROM core.tags_v2 AS t WHERE t.tag_id = z.id ORDER BY t.tag) AS tags
FROM z
