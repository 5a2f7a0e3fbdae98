USERS = "SELECT user_id, country FROM prod.core.users_v1"
