from google.cloud import bigquery

client = bigquery.Client()


def main():
    client.query("""
        SELECT u.account_id AS user_id, d.model_name AS model
        FROM prod.core.users_v2 AS u
        JOIN prod.core.owners AS o ON o.user_id = u.account_id
        LEFT JOIN prod.core.devices_v2 AS d ON d.device_id = o.device_id
        WHERE u.tier = 3 AND u.device = 'ALL'
    """)
