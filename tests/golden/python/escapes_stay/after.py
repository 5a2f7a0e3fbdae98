from google.cloud import bigquery

client = bigquery.Client()


def main():
    client.query("SELECT account_id AS user_id,\n\t'\u00e5 \x41 \"x\"' AS x\nFROM prod.core.users_v2 \
    WHERE geo.country = 'SE' AND device = 'ALL'")
