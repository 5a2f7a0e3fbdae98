from google.cloud import bigquery

client = bigquery.Client()


def main(test=False):
    if test:
        table = "prod.core.other"
    else:
        table = "prod.core.users_v1"
    client.query(f"SELECT user_id FROM {table}")
