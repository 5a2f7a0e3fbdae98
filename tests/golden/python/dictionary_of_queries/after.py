from google.cloud import bigquery

client = bigquery.Client()


QUERIES = {
    "users": "SELECT account_id AS user_id FROM prod.core.users_v2 WHERE CASE tier WHEN 3 THEN 'premium' ELSE 'free' END = 'free' AND device = 'ALL'",
    "owners": "SELECT device_id FROM prod.core.owners",
}


def main():
    client.query(QUERIES["users"])
    client.query(QUERIES["owners"])
