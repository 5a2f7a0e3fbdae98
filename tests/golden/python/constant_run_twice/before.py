from google.cloud import bigquery

client = bigquery.Client()


QUERY = "SELECT user_id FROM prod.core.users_v1 WHERE country = 'SE'"


def main():
    client.query(QUERY)
    client.query(QUERY + " LIMIT 100")
