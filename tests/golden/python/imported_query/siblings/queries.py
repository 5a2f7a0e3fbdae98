USERS = "SELECT user_id FROM prod.core.users_v1"
