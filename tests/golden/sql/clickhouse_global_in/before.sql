SELECT p FROM core.o WHERE id GLOBAL IN (SELECT user_id FROM core.users_v1)
