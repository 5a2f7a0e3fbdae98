from google.cloud import bigquery

client = bigquery.Client()


def main():
    return client.query('SELECT account_id AS user_id FROM prod.core.users_v2 WHERE geo.country IS NOT NULL AND device = \'ALL\'')
