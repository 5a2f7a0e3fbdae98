from google.cloud import bigquery

client = bigquery.Client()


def main(country=None):
    query = "SELECT user_id FROM prod.core.users_v1"
    if country:
        query += f" WHERE country = '{country}'"
    client.query(query)
