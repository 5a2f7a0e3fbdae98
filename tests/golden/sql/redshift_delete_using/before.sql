DELETE FROM core.o USING core.users_v1 u WHERE u.user_id = core.o.id
