from google.cloud import bigquery

client = bigquery.Client()


def users():
    return "SELECT user_id FROM prod.core.users_v1"


def main():
    client.query(users() + " WHERE country = 'SE'")
