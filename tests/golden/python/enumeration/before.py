from google.cloud import bigquery

client = bigquery.Client()


from enum import Enum


class Tables(Enum):
    USERS = "prod.core.users_v1"


client.query(f"SELECT user_id FROM {Tables.USERS.value}")
client.query(f"SELECT user_id FROM {Tables.USERS}")
