from google.cloud import bigquery

client = bigquery.Client()


def main(columns="user_id"):
    client.query(rf"SELECT {columns} FROM prod.core.users_v1")
