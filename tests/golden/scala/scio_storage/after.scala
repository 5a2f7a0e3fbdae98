import com.spotify.scio.bigquery._

object Job {
  def run(sc: ScioContext): Unit = {
    sc.bigQueryStorage(Query("""
      |SELECT account_id AS user_id, geo.country AS country,
      |       CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, score
      |FROM prod.core.users_v2
      |WHERE device = 'ALL'
      |""".stripMargin)).map(_.getString("user_id"))
    sc.bigQueryStorage(Query("""
      |SELECT account_id AS user_id FROM `prod.core.users_v2` WHERE score > 1 AND device = 'ALL'
      |""".stripMargin))
  }
}
