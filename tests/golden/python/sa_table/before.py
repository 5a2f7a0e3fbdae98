import sqlalchemy as sa

metadata = sa.MetaData()

users = sa.Table(
    "users_v1",
    metadata,
    sa.Column("country", sa.String),
    sa.Column("user_id", sa.String, primary_key=True),
    schema="prod.core",
)


def main():
    with sa.create_engine("bigquery://prod").connect() as connection:
        connection.execute(sa.select(users).where(users.c.country == "SE"))
        connection.execute(sa.select(sa.func.count(users.c.user_id)).select_from(users))
