import com.spotify.scio.bigquery._

object Job {
  @BigQueryType.fromQuery("""
    |SELECT account_id AS user_id, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan
    |FROM `prod.core.users_v2`
    |WHERE geo.country = 'SE' AND device = 'ALL'
  """.stripMargin)
  class Row
}
