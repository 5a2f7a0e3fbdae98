from google.cloud import bigquery

client = bigquery.Client()


def main(day="2024-01-01"):
    sql = (
        f"SELECT user_id, '{day}' AS day "
        "FROM `prod.core.users_v1` "  # the users
        "WHERE country IN ('SE', 'DE')"
    )
    client.query(sql)
