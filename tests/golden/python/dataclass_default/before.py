from google.cloud import bigquery

client = bigquery.Client()


from dataclasses import dataclass


@dataclass
class Report:
    table: str = "prod.core.users_v1"

    def run(self):
        client.query(f"SELECT user_id FROM {self.table}")


Report(table="prod.core.other").run()
