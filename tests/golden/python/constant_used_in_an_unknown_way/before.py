from google.cloud import bigquery

client = bigquery.Client()


from warehouse import refresh

TABLE = "prod.core.users_v1"


def main():
    refresh(TABLE)
    client.query(f"SELECT user_id FROM {TABLE}")
