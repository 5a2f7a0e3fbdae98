from google.cloud import bigquery

client = bigquery.Client()


# Räksmörgås, 日本語, 🪿
def main():
    client.query("SELECT account_id AS user_id, 'åäö🪿' AS x FROM prod.core.users_v2 WHERE geo.country = 'SE' AND device = 'ALL'")  # åäö
    client.query("SELECT 'å' AS y, geo.country AS country FROM prod.core.users_v2 WHERE device = 'ALL'")
