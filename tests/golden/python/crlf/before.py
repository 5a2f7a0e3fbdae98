from google.cloud import bigquery

client = bigquery.Client()


def main(columns="user_id"):
    client.query(f"""
        SELECT {columns}
        FROM prod.core.users_v1
    """)
    client.query("""
        SELECT user_id
        FROM prod.core.users_v1
    """)
