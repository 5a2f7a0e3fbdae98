PROJECT = "prod"
TABLE = PROJECT + ".core.users_v1"
