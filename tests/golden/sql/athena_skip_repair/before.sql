MSCK REPAIR TABLE core.users_v1
