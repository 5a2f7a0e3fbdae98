SELECT * FROM z SEMI JOIN core.tags_v1 AS t ON t.id = z.id
