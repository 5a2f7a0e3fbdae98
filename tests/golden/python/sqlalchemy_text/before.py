from sqlalchemy import create_engine, text


def main():
    with create_engine("bigquery://prod") as connection:
        connection.execute(text("SELECT user_id FROM prod.core.users_v1 WHERE country = 'SE'"))
