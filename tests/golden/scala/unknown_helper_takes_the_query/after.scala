object Job {
  def run(client: Client): Unit = client.rows("SELECT account_id AS user_id FROM prod.core.users_v2 WHERE CASE tier WHEN 3 THEN 'premium' ELSE 'free' END = 'free' AND device = 'ALL'")
}
