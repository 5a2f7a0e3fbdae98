from google.cloud import bigquery

client = bigquery.Client()


def main():
    client.query("SELECT user_id FRM prod.core.users_v1 GROUP ORDER")
