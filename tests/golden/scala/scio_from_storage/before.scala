import com.spotify.scio.bigquery._

object Job {
  @BigQueryType.fromStorage(
    "prod:core.users_v1",
    selectedFields = List("user_id", "country"),
    rowRestriction = "plan = 'premium'"
  )
  class Row
}
