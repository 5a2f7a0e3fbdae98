from google.cloud import bigquery

client = bigquery.Client()


TABLE = "prod.core.users_v1"


def main():
    client.query(f"SELECT user_id FROM {TABLE!s} WHERE country = 'SE'")
