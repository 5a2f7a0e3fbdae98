import com.spotify.scio.bigquery._

object Job {
  @BigQueryType.fromTable("prod:core.accounts") class Row
  def run(sc: ScioContext): Unit = sc.typedBigQuery[Row](Table.Spec("prod:core.users_v1"))
}
