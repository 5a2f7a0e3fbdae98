from sqlalchemy import Column, MetaData, String, Table, create_engine, select

owners = Table("owners_v1", MetaData(), Column("user_id", String), schema="core")


def main():
    with create_engine("postgresql://prod").connect() as connection:
        connection.execute(select(owners))
