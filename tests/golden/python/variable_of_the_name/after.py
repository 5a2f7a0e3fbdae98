from google.cloud import bigquery

client = bigquery.Client()


def main():
    users_v1 = client.query("SELECT device_id FROM prod.core.owners")
    return users_v1.users_v1
