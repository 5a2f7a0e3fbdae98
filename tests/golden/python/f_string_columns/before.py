from google.cloud import bigquery

client = bigquery.Client()


COLUMNS = ["user_id", "plan"]


def main():
    client.query(f"SELECT {', '.join(COLUMNS)} FROM prod.core.users_v1 WHERE country = 'SE'")
