from google.cloud import bigquery

client = bigquery.Client()


def read(table="prod.core.users_v1"):
    return client.query(f"SELECT user_id FROM {table} WHERE plan = 'free'")


def main():
    read()
