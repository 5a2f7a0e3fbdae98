from google.cloud import bigquery

client = bigquery.Client()


def main():
    return client.query("SELECT geo.country AS country, COUNT(*) AS n FROM prod.core.users_v2 WHERE device = 'ALL' GROUP BY geo.country")
