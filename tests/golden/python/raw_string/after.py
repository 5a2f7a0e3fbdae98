from google.cloud import bigquery

client = bigquery.Client()


def main():
    client.query(r"SELECT account_id AS user_id FROM prod.core.users_v2 WHERE REGEXP_CONTAINS(geo.country, 'S\w') AND device = 'ALL'")
