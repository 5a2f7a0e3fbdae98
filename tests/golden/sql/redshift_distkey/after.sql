CREATE TABLE core.t DISTKEY(user_id) SORTKEY(n) AS SELECT account_id AS user_id, n FROM core.users_v2 WHERE device = 'ALL'
