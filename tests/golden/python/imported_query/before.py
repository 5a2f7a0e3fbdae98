from google.cloud import bigquery

from queries import USERS

client = bigquery.Client()


def main():
    client.query(USERS)
