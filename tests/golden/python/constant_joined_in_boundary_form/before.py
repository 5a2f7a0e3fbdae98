from google.cloud import bigquery

client = bigquery.Client()


TABLE = "prod.core.users_v1"


def main(columns="user_id"):
    client.query("SELECT " + columns + " FROM " + TABLE)
