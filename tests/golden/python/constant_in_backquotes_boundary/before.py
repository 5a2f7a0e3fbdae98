from google.cloud import bigquery

client = bigquery.Client()


TABLE = "prod.core.users_v1"


def main(columns="user_id"):
    client.query(f"SELECT {columns} FROM `{TABLE}` WHERE country = 'SE'")
    client.query(f"SELECT user_id FROM `{TABLE}`")
