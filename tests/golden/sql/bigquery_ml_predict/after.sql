SELECT * FROM ML.PREDICT(MODEL prod.core.m, (SELECT account_id AS user_id, n FROM prod.core.users_v2 WHERE device = 'ALL'))
