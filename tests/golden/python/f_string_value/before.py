from google.cloud import bigquery

client = bigquery.Client()


def main(country="SE"):
    client.query(f"""
        SELECT user_id, plan
        FROM prod.core.users_v1
        WHERE country = '{country}'
    """)
