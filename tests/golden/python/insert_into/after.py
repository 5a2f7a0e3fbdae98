from google.cloud import bigquery

client = bigquery.Client()


def main():
    client.query("CREATE TABLE prod.core.kept (user_id STRING)")
    client.query("INSERT INTO prod.core.kept SELECT account_id FROM prod.core.users_v2 WHERE geo.country = 'SE' AND device = 'ALL'")
    client.query("SELECT * FROM prod.core.kept")
