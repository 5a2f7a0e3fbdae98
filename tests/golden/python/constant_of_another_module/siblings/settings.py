PROJECT = "prod"
USERS = f"{PROJECT}.core.users_v1"
