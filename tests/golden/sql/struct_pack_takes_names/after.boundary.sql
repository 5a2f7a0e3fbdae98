SELECT struct_pack(id, tag) AS s FROM (SELECT tag_id AS id, tag FROM core.tags_v2) AS tags_v1
