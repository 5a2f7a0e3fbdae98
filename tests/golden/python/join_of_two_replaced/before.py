from google.cloud import bigquery

client = bigquery.Client()


def main():
    client.query("""
        SELECT u.user_id, d.model
        FROM prod.core.users_v1 AS u
        JOIN prod.core.owners AS o ON o.user_id = u.user_id
        LEFT JOIN prod.core.devices_v1 AS d ON d.device_id = o.device_id
        WHERE u.plan = 'premium'
    """)
