from google.cloud import bigquery

import settings

client = bigquery.Client()


def main():
    client.query("SELECT user_id FROM " + settings.USERS + " WHERE country = 'SE'")
