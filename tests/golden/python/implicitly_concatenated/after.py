from google.cloud import bigquery

client = bigquery.Client()


def main():
    return client.query(
        "SELECT account_id AS user_id, "
        "geo.country AS country "
        "FROM prod.core.users_v2 "
        "WHERE geo.country = 'SE' AND device = 'ALL'"
    )
