from google.cloud import bigquery

client = bigquery.Client()


def main():
    query = "SELECT account_id AS user_id FROM {table} WHERE geo.country = '{country}' AND device = 'ALL' LIMIT {limit}"
    client.query(query.format(table="prod.core.users_v2", country="SE", limit=100))
