EXECUTE IMMEDIATE '''SELECT account_id AS user_id FROM prod.core.users_v2 WHERE country = "SE" AND device = 'ALL\'''' INTO x
