from google.cloud import bigquery

client = bigquery.Client()


def main(day="2024-01-01"):
    sql = (
        f"SELECT account_id AS user_id, '{day}' AS day "
        "FROM `prod.core.users_v2` "  # the users
        "WHERE geo.country IN ('SE', 'DE') AND device = 'ALL'"
    )
    client.query(sql)
