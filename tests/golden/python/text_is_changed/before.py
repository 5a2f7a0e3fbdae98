from google.cloud import bigquery

client = bigquery.Client()
query = "SELECT user_id FROM prod.core.users_v1 WHERE plan = 'premium'"
client.query(query.replace("premium", "basic"))
