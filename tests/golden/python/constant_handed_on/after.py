from google.cloud import bigquery

from settings import USERS


def main():
    client = bigquery.Client()
    return client.query(f"SELECT account_id AS user_id FROM prod.core.users_v2 WHERE geo.country = 'SE' AND device = 'ALL'")
