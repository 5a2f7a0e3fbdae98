from google.cloud import bigquery

client = bigquery.Client()


def main():
    client.query("WITH users_v1 AS (SELECT 'u1' AS user_id) SELECT user_id FROM users_v1")
