EXECUTE IMMEDIATE '''SELECT user_id FROM prod.core.users_v1 WHERE country = "SE"''' INTO x
