from sqlalchemy import create_engine, text


def main():
    with create_engine("bigquery://prod") as connection:
        connection.execute(text("SELECT account_id AS user_id FROM prod.core.users_v2 WHERE geo.country = 'SE' AND device = 'ALL'"))
