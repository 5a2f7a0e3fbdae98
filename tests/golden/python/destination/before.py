from google.cloud import bigquery

client = bigquery.Client()


def main():
    client.query("SELECT 1 AS x", destination="prod.core.users_v1")
