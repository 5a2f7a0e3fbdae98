from google.cloud import bigquery

client = bigquery.Client()


PROJECT = "prod"
DATASET = "core"
TABLE = f"{PROJECT}.{DATASET}.users_v1"


def main():
    client.query(f"SELECT user_id FROM {TABLE} WHERE plan = 'free'")
    client.query(f"SELECT country FROM `{PROJECT}.{DATASET}.users_v1` WHERE plan = 'free'")
