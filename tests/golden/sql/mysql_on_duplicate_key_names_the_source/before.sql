INSERT INTO core.o SELECT user_id, plan FROM core.users_v1 AS u ON DUPLICATE KEY UPDATE p = u.plan
