from google.cloud import bigquery

client = bigquery.Client()


TABLE = "prod.core.users_v2"


def main():
    client.query(f"SELECT account_id AS user_id FROM {TABLE!s} WHERE geo.country = 'SE' AND device = 'ALL'")
