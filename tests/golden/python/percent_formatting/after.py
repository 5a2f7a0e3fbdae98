from google.cloud import bigquery

client = bigquery.Client()


TABLE = "prod.core.users_v2"


def main():
    client.query("SELECT account_id AS user_id FROM %s WHERE geo.country LIKE '%s%%' AND device = 'ALL'" % (TABLE, "S"))
