from google.cloud import bigquery

client = bigquery.Client()


def main():
    client.query(r"SELECT user_id FROM prod.core.users_v1 WHERE REGEXP_CONTAINS(country, 'S\w')")
