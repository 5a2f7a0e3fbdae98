from google.cloud import bigquery

from settings import USERS

client = bigquery.Client()


def main():
    client.query(f"SELECT user_id FROM {USERS} WHERE country = 'SE'")
