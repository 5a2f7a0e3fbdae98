from google.cloud import bigquery

client = bigquery.Client()



def main():
    client.query(
        """
        SELECT account_id AS user_id, geo.country AS country -- the home country
        FROM prod.core.users_v2
        WHERE tier = 3 AND device = 'ALL'
        """
    ).result()
