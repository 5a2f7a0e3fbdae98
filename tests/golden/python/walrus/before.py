from google.cloud import bigquery

client = bigquery.Client()


def main():
    if (query := "SELECT user_id FROM prod.core.users_v1 WHERE plan = 'free'"):
        client.query(query)
