from sqlalchemy import Column, MetaData, String, Table, create_engine, select, text

users = text("""
    SELECT account_id AS user_id, geo.country AS country,
           CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan
    FROM prod.core.users_v2
    WHERE device = 'ALL'
""").columns(Column("user_id", String), Column("plan", String)).subquery("users_v1")


def main():
    with create_engine("bigquery://prod").connect() as connection:
        connection.execute(select(users.c.user_id, users.c.plan))
