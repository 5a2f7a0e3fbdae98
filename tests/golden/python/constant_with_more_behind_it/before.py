from google.cloud import bigquery

client = bigquery.Client()


TABLE = "prod.core.users_v1"


def main():
    client.query(f"SELECT a.user_id FROM {TABLE} AS a JOIN {TABLE}_backup AS b ON a.user_id = b.user_id")
