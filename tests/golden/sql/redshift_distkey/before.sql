CREATE TABLE core.t DISTKEY(user_id) SORTKEY(n) AS SELECT user_id, n FROM core.users_v1
