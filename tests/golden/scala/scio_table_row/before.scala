import com.spotify.scio.bigquery._

object Job {
  def run(sc: ScioContext): Unit =
    sc.bigQueryTable(Table.Spec("prod:core.users_v1")).map(_.getString("user_id"))
}
