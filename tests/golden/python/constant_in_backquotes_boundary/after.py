from google.cloud import bigquery

client = bigquery.Client()


TABLE = "prod.core.users_v2"


def main(columns="user_id"):
    client.query(f"SELECT {columns} FROM (SELECT account_id AS user_id, geo.country AS country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan FROM `{TABLE}` WHERE device = 'ALL') AS users_v1 WHERE country = 'SE'")
    client.query(f"SELECT account_id AS user_id FROM `{TABLE}` WHERE device = 'ALL'")
