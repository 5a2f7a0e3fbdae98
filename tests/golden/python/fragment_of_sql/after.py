from google.cloud import bigquery

client = bigquery.Client()


FROM = "FROM (SELECT account_id AS user_id, geo.country AS country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan FROM prod.core.users_v2 WHERE device = 'ALL') AS u"


def main():
    client.query(f"SELECT u.user_id {FROM} WHERE u.country = 'SE'")
    client.query(f"SELECT u.country {FROM}")
