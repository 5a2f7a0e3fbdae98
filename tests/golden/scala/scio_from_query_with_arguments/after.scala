import com.spotify.scio.bigquery._

object Job {
  @BigQueryType.fromQuery("SELECT account_id AS user_id FROM `prod.core.users_v2` WHERE score > %d AND geo.country LIKE 'S%%' AND device = 'ALL'", 1)
  class Row
}
