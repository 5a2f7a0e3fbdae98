from sqlalchemy import Column, MetaData, String, Table, create_engine, select

owners = Table("owners", MetaData(), Column("user_id", String), schema="base")


def main():
    with create_engine("postgresql://prod").connect() as connection:
        connection.execute(select(owners))
