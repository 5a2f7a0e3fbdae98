from google.cloud import bigquery

client = bigquery.Client()


BASE = """
    SELECT user_id, country
    FROM prod.core.users_v1
"""


def main():
    client.query(BASE + "WHERE country = 'SE'")
    client.query(BASE + "WHERE plan = 'free'")
