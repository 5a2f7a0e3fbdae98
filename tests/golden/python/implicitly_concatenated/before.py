from google.cloud import bigquery

client = bigquery.Client()


def main():
    return client.query(
        "SELECT user_id, "
        "country "
        "FROM prod.core.users_v1 "
        "WHERE country = 'SE'"
    )
