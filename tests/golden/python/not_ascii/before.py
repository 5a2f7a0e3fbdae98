from google.cloud import bigquery

client = bigquery.Client()


# Räksmörgås, 日本語, 🪿
def main():
    client.query("SELECT user_id, 'åäö🪿' AS x FROM prod.core.users_v1 WHERE country = 'SE'")  # åäö
    client.query("SELECT 'å' AS y, country FROM prod.core.users_v1")
