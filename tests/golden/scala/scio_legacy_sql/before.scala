import com.spotify.scio.bigquery._

object Job {
  @BigQueryType.fromQuery("SELECT user_id FROM [prod:core.users_v1]")
  class Row
}
