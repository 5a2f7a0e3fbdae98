from google.cloud import bigquery

client = bigquery.Client()


def main(columns="user_id"):
    client.query(f"""
        SELECT {columns}
        FROM (
          SELECT account_id AS user_id, geo.country AS country,
                 CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan
          FROM prod.core.users_v2
          WHERE device = 'ALL'
        ) AS users_v1
    """)
    client.query("""
        SELECT account_id AS user_id
        FROM prod.core.users_v2
        WHERE device = 'ALL'
    """)
