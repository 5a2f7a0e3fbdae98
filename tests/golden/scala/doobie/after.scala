import doobie.implicits._

object Job {
  def find(id: String) = sql"SELECT plan FROM (SELECT account_id AS user_id, geo.country AS country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, score FROM prod.core.users_v2 WHERE device = 'ALL') AS users_v1 WHERE user_id = $id".query[String].unique
}
