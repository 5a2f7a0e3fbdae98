from google.cloud import bigquery

client = bigquery.Client()


def main():
    client.query("SELECT user_id, legacy_score FROM prod.core.users_v1")
