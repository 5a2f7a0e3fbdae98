import com.spotify.scio.bigquery._

object Job {
  @BigQueryType.fromTable("prod:core.users_v1_%s", "$LATEST") class Row
}
