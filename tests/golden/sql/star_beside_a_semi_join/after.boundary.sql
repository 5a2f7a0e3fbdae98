SELECT * FROM z SEMI JOIN (SELECT tag_id AS id, tag FROM core.tags_v2) AS t ON t.id = z.id
