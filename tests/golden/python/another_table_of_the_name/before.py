from google.cloud import bigquery

client = bigquery.Client()


def main():
    client.query("SELECT user_id FROM prod.staging.users_v1")
    client.query("SELECT user_id FROM prod.core.users_v1_backup")
