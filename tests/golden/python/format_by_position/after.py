from google.cloud import bigquery

client = bigquery.Client()


TABLE = "prod.core.users_v2"


def main():
    client.query("SELECT account_id AS user_id, '{{}}' AS x FROM {} WHERE geo.country = '{}' AND device = 'ALL'".format(TABLE, "SE"))
