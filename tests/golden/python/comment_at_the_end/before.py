from google.cloud import bigquery

client = bigquery.Client()
client.query("SELECT user_id FROM prod.core.users_v1 -- everybody")
client.query("SELECT user_id FROM prod.core.users_v1 -- every" "body")
client.query("SELECT user_id FROM prod.core.users_v1 -- everybody\nORDER BY user_id")
