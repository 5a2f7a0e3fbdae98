from google.cloud import bigquery

client = bigquery.Client()


class Report:
    TABLE = "prod.core.users_v1"

    def run(self):
        client.query(f"SELECT user_id FROM {self.TABLE}")


class Other(Report):
    TABLE = "prod.core.devices_v2"
