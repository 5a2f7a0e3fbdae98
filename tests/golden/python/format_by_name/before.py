from google.cloud import bigquery

client = bigquery.Client()


def main():
    query = "SELECT user_id FROM {table} WHERE country = '{country}' LIMIT {limit}"
    client.query(query.format(table="prod.core.users_v1", country="SE", limit=100))
