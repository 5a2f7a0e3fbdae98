from google.cloud import bigquery

client = bigquery.Client()


def main():
    client.query(f"SELECT user_id, '{{}}' AS empty FROM prod.core.users_v1 LIMIT {10 * 10}")
