from google.cloud import bigquery

import settings

client = bigquery.Client()


def main():
    client.query("SELECT account_id AS user_id FROM " + "prod.core.users_v2" + " WHERE geo.country = 'SE' AND device = 'ALL'")
