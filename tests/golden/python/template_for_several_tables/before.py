from google.cloud import bigquery

client = bigquery.Client()


USERS = "prod.core.users_v1"
COUNT = "SELECT COUNT(*) AS n FROM {table}"


def main():
    client.query(COUNT.format(table=USERS))
    client.query(COUNT.format(table="prod.core.owners"))
