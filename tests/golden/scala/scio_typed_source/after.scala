import com.spotify.scio.bigquery._

object Job {
  @BigQueryType.fromTable("prod:core.accounts") class Row
  def run(sc: ScioContext): Unit = sc.typedBigQuery[Row](Query("""
    |SELECT account_id AS user_id, geo.country AS country,
    |       CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, score
    |FROM prod.core.users_v2
    |WHERE device = 'ALL'
    |""".stripMargin))
}
