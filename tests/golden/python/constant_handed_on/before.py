from google.cloud import bigquery

from settings import USERS


def main():
    client = bigquery.Client()
    return client.query(f"SELECT user_id FROM {USERS} WHERE country = 'SE'")
