from google.cloud import bigquery

client = bigquery.Client()


from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    table: str = "prod.core.users_v1"

    def run(self):
        client.query(f"SELECT user_id FROM {self.table}")
