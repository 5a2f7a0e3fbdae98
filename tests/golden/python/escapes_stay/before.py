from google.cloud import bigquery

client = bigquery.Client()


def main():
    client.query("SELECT user_id,\n\t'\u00e5 \x41 \"x\"' AS x\nFROM prod.core.users_v1 \
    WHERE country = 'SE'")
