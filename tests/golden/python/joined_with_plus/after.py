from google.cloud import bigquery

client = bigquery.Client()


def main():
    query = "SELECT account_id AS user_id FROM prod.core.users_v2 " + "WHERE geo.country = " + "'DE' AND device = 'ALL'"
    client.query(query)
