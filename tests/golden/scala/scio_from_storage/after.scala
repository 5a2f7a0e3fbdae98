import com.spotify.scio.bigquery._

object Job {
  @BigQueryType.fromQuery("""
    |SELECT account_id AS user_id, geo.country AS country FROM `prod.core.users_v2` WHERE tier = 3 AND device = 'ALL'
    |""".stripMargin)
  class Row
}
