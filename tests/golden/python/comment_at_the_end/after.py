from google.cloud import bigquery

client = bigquery.Client()
client.query("SELECT account_id AS user_id FROM prod.core.users_v2 -- everybody\nWHERE device = 'ALL'")
client.query("SELECT account_id AS user_id FROM prod.core.users_v2 -- every" "body\nWHERE device = 'ALL'")
client.query("SELECT account_id AS user_id FROM prod.core.users_v2 -- everybody\nWHERE device = 'ALL'\nORDER BY user_id")
