INSERT INTO core.o (id) SELECT user_id FROM core.users_v1 ON DUPLICATE KEY UPDATE id = VALUES(id)
