from google.cloud import bigquery

client = bigquery.Client()


def main():
    values = {"country": "SE"}
    client.query("SELECT user_id FROM prod.core.users_v1 WHERE country = '%(country)s'" % values)
