SELECT struct_pack(id, tag) AS s FROM core.tags_v1
