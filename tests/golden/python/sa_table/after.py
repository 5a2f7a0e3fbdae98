import sqlalchemy as sa

metadata = sa.MetaData()

users = sa.text("""
    SELECT account_id AS user_id, geo.country AS country,
           CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan
    FROM prod.core.users_v2
    WHERE device = 'ALL'
""").columns(
    sa.Column("country", sa.String),
    sa.Column("user_id", sa.String, primary_key=True),
).subquery("users_v1")


def main():
    with sa.create_engine("bigquery://prod").connect() as connection:
        connection.execute(sa.select(users).where(users.c.country == "SE"))
        connection.execute(sa.select(sa.func.count(users.c.user_id)).select_from(users))
