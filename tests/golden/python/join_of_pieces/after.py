from google.cloud import bigquery

client = bigquery.Client()


def main():
    client.query(" ".join(["SELECT account_id AS user_id", "FROM prod.core.users_v2", "WHERE geo.country = 'SE' AND device = 'ALL'"]))
