SELECT * FROM ML.PREDICT(MODEL prod.core.m, (SELECT user_id, n FROM prod.core.users_v1))
