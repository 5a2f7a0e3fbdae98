from google.cloud import bigquery

client = bigquery.Client()


PROJECT = "prod"
DATASET = "core"
TABLE = f"{PROJECT}.{DATASET}.users_v2"


def main():
    client.query(f"SELECT account_id AS user_id FROM {TABLE} WHERE CASE tier WHEN 3 THEN 'premium' ELSE 'free' END = 'free' AND device = 'ALL'")
    client.query(f"SELECT geo.country AS country FROM `{PROJECT}.{DATASET}.users_v2` WHERE CASE tier WHEN 3 THEN 'premium' ELSE 'free' END = 'free' AND device = 'ALL'")
