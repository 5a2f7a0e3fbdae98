from google.cloud import bigquery

client = bigquery.Client()


def main():
    client.query("SELECT user_id FROM core.users_v1")
