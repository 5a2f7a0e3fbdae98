SELECT * FROM prod.core.users_v1
