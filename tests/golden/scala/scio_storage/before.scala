import com.spotify.scio.bigquery._

object Job {
  def run(sc: ScioContext): Unit = {
    sc.bigQueryStorage(Table.Spec("prod:core.users_v1")).map(_.getString("user_id"))
    sc.bigQueryStorage(Table.Spec("prod:core.users_v1"), selectedFields = List("user_id"), rowRestriction = "score > 1")
  }
}
