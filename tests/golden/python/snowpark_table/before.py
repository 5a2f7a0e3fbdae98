from snowflake.snowpark import Session

session = Session.builder.configs({}).create()


def main():
    session.table("prod.core.owners_v1").show()
