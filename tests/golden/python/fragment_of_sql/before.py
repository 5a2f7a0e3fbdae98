from google.cloud import bigquery

client = bigquery.Client()


FROM = "FROM prod.core.users_v1 AS u"


def main():
    client.query(f"SELECT u.user_id {FROM} WHERE u.country = 'SE'")
    client.query(f"SELECT u.country {FROM}")
