USERS = "prod.core.users_v1"
