import com.spotify.scio.bigquery._

object Job {
  @BigQueryType.fromTable("prod:core.users_v1")
  class Row

  def run(sc: ScioContext): Unit =
    sc.typedBigQuery[Row]().map(r => (r.user_id, r.plan.getOrElse("free")))
}
