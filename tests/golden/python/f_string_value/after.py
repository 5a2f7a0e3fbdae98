from google.cloud import bigquery

client = bigquery.Client()


def main(country="SE"):
    client.query(f"""
        SELECT account_id AS user_id, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan
        FROM prod.core.users_v2
        WHERE geo.country = '{country}' AND device = 'ALL'
    """)
