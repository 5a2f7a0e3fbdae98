from snowflake.snowpark import Session

session = Session.builder.configs({}).create()


def main():
    session.sql("SELECT device_id, user_id AS person FROM prod.core.owners").show()
