SELECT z.tag, ARRAY(SELECT AS STRUCT t.id, t.tag FROM (SELECT tag_id AS id, tag FROM core.tags_v2) AS t WHERE t.id = z.id ORDER BY t.tag) AS tags
FROM z
