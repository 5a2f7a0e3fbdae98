from snowflake.snowpark import Session

session = Session.builder.configs({}).create()


def main():
    owners = session.table("prod.core.owners_v1")
    owners.delete(owners["person"] == "u1")
