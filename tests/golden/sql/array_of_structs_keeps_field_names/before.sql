SELECT z.tag, ARRAY(SELECT AS STRUCT t.id, t.tag FROM core.tags_v1 AS t WHERE t.id = z.id ORDER BY t.tag) AS tags
FROM z
