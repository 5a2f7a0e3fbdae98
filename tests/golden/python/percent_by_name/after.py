from google.cloud import bigquery

client = bigquery.Client()


def main():
    values = {"country": "SE"}
    client.query("SELECT account_id AS user_id FROM prod.core.users_v2 WHERE geo.country = '%(country)s' AND device = 'ALL'" % values)
