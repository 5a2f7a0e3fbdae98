from google.cloud import bigquery

client = bigquery.Client()


from warehouse import where


def main():
    client.query("SELECT user_id FROM prod.core.users_v1 u " + where("u"))
