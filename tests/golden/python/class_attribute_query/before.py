from google.cloud import bigquery

client = bigquery.Client()


class Report:
    query = "SELECT user_id FROM prod.core.users_v1 WHERE plan = 'free'"

    def run(self):
        client.query(self.query)


def main():
    Report().run()
