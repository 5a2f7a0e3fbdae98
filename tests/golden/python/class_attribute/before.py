from google.cloud import bigquery

client = bigquery.Client()


class Report:
    TABLE = "prod.core.users_v1"
    LIMIT = 100

    def run(self):
        client.query(f"SELECT user_id FROM {self.TABLE} WHERE plan = 'free' LIMIT {self.LIMIT}")


def main():
    Report().run()
