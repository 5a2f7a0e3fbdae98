import com.spotify.scio.bigquery._

object Job {
  @BigQueryType.fromTable("prod:core.%s", "users_v1") class Row
}
