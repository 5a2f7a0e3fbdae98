SELECT * FROM z SEMI JOIN core.tags_v2 AS t ON t.tag_id = z.id
