from google.cloud import bigquery

client = bigquery.Client()


def main(project):
    client.query(f"SELECT user_id FROM `{project}.core.users_v1`")
