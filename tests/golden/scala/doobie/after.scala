import doobie.implicits._

object Job {
  def find(id: String) = sql"SELECT CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan FROM prod.core.users_v2 WHERE account_id = $id AND device = 'ALL'".query[String].unique
}
