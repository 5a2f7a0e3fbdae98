from google.cloud import bigquery

client = bigquery.Client()


def main():
    query = "SELECT user_id FROM prod.core.users_v1 " + "WHERE country = " + "'DE'"
    client.query(query)
