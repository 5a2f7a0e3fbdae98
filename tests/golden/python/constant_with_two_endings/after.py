from google.cloud import bigquery

client = bigquery.Client()


BASE = """
    SELECT account_id AS user_id, geo.country AS country
    FROM prod.core.users_v2
"""


def main():
    client.query(BASE + "WHERE geo.country = 'SE' AND device = 'ALL'")
    client.query(BASE + "WHERE CASE tier WHEN 3 THEN 'premium' ELSE 'free' END = 'free' AND device = 'ALL'")
