object Job {
  def run(client: Client): Unit = client.rows("SELECT user_id FROM prod.core.users_v1 WHERE plan = 'free'")
}
