from google.cloud import bigquery

from settings import USERS

client = bigquery.Client()


def main():
    client.query(f"SELECT account_id AS user_id FROM prod.core.users_v2 WHERE geo.country = 'SE' AND device = 'ALL'")
