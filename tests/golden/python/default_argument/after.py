from google.cloud import bigquery

client = bigquery.Client()


def read(table="prod.core.users_v2"):
    return client.query(f"SELECT account_id AS user_id FROM {table} WHERE CASE tier WHEN 3 THEN 'premium' ELSE 'free' END = 'free' AND device = 'ALL'")


def main():
    read()
