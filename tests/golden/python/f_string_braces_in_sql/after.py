from google.cloud import bigquery

client = bigquery.Client()


def main():
    client.query(f"SELECT account_id AS user_id, '{{}}' AS empty FROM prod.core.users_v2 WHERE device = 'ALL' LIMIT {10 * 10}")
