def main(table):
    if table == "prod.core.users_v1":
        return 1
