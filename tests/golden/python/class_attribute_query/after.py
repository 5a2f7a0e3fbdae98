from google.cloud import bigquery

client = bigquery.Client()


class Report:
    query = "SELECT account_id AS user_id FROM prod.core.users_v2 WHERE CASE tier WHEN 3 THEN 'premium' ELSE 'free' END = 'free' AND device = 'ALL'"

    def run(self):
        client.query(self.query)


def main():
    Report().run()
