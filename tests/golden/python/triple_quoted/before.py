from google.cloud import bigquery

client = bigquery.Client()



def main():
    client.query(
        """
        SELECT user_id, country -- the home country
        FROM prod.core.users_v1
        WHERE plan = 'premium'
        """
    ).result()
