from google.cloud import bigquery

client = bigquery.Client()


def main():
    return client.get_table("prod.core.users_v1").num_rows
