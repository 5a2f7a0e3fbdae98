from google.cloud import bigquery

client = bigquery.Client()


QUERIES = {
    "users": "SELECT user_id FROM prod.core.users_v1 WHERE plan = 'free'",
    "owners": "SELECT device_id FROM prod.core.owners",
}


def main():
    for query in QUERIES.values():
        client.query(query)
