from google.cloud import bigquery

client = bigquery.Client()


def main(alias="u"):
    client.query(f"SELECT {alias}.user_id FROM prod.core.users_v1 {alias}")
