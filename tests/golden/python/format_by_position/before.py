from google.cloud import bigquery

client = bigquery.Client()


TABLE = "prod.core.users_v1"


def main():
    client.query("SELECT user_id, '{{}}' AS x FROM {} WHERE country = '{}'".format(TABLE, "SE"))
