from google.cloud import bigquery

client = bigquery.Client()


def main():
    for table in ["prod.core.users_v1", "prod.core.owners"]:
        client.query(f"SELECT COUNT(*) FROM {table}")
