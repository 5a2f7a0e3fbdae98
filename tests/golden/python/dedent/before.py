from textwrap import dedent

from google.cloud import bigquery

client = bigquery.Client()

QUERY = dedent(
    """
    SELECT user_id
    FROM prod.core.users_v1
    WHERE country = 'SE'
    """
).strip()


def main():
    client.query(QUERY)
