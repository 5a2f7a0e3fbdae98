from google.cloud import bigquery

client = bigquery.Client()


def main():
    return client.query("SELECT country, COUNT(*) AS n FROM prod.core.users_v1 GROUP BY country")
