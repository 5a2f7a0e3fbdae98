from google.cloud import bigquery

client = bigquery.Client()


class Report:
    TABLE = "prod.core.users_v2"
    LIMIT = 100

    def run(self):
        client.query(f"SELECT account_id AS user_id FROM {self.TABLE} WHERE CASE tier WHEN 3 THEN 'premium' ELSE 'free' END = 'free' AND device = 'ALL' LIMIT {self.LIMIT}")


def main():
    Report().run()
