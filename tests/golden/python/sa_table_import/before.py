from sqlalchemy import Column, MetaData, String, Table, create_engine, select

users = Table("users_v1", MetaData(), Column("user_id", String), Column("plan", String), schema="prod.core")


def main():
    with create_engine("bigquery://prod").connect() as connection:
        connection.execute(select(users.c.user_id, users.c.plan))
