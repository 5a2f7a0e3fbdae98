import com.spotify.scio.bigquery._

object Job {
  @BigQueryType.fromQuery("""
    |SELECT user_id, plan
    |FROM `prod.core.users_v1`
    |WHERE country = 'SE'
  """.stripMargin)
  class Row
}
