from google.cloud import bigquery

client = bigquery.Client()


from warehouse import where


def main():
    client.query("SELECT user_id FROM (SELECT account_id AS user_id, geo.country AS country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan FROM prod.core.users_v2 WHERE device = 'ALL') u " + where("u"))
