from google.cloud import bigquery

client = bigquery.Client()


def main():
    client.query("CREATE TABLE prod.core.kept (user_id STRING)")
    client.query("INSERT INTO prod.core.kept SELECT user_id FROM prod.core.users_v1 WHERE country = 'SE'")
    client.query("SELECT * FROM prod.core.kept")
