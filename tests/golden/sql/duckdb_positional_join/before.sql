SELECT count(*) FROM (SELECT user_id, n FROM core.users_v1 POSITIONAL JOIN core.o) AS x
