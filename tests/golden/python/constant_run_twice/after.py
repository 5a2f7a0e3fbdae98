from google.cloud import bigquery

client = bigquery.Client()


QUERY = "SELECT account_id AS user_id FROM prod.core.users_v2 WHERE geo.country = 'SE' AND device = 'ALL'"


def main():
    client.query(QUERY)
    client.query(QUERY + " LIMIT 100")
