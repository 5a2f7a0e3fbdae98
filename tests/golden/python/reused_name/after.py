from google.cloud import bigquery

client = bigquery.Client()


def main():
    query = "SELECT account_id AS user_id FROM prod.core.users_v2 WHERE device = 'ALL'"
    client.query(query)
    query = "SELECT geo.country AS country FROM prod.core.users_v2 WHERE CASE tier WHEN 3 THEN 'premium' ELSE 'free' END = 'free' AND device = 'ALL'"
    client.query(query)
