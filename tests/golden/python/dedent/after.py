from textwrap import dedent

from google.cloud import bigquery

client = bigquery.Client()

QUERY = dedent(
    """
    SELECT account_id AS user_id
    FROM prod.core.users_v2
    WHERE geo.country = 'SE' AND device = 'ALL'
    """
).strip()


def main():
    client.query(QUERY)
