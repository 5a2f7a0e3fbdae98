import com.spotify.scio.bigquery._

object Job {
  def run(sc: ScioContext): Unit = {
    sc.bigQuerySelect(Query("SELECT user_id FROM `prod.core.users_v1`"))
    sc.bigQuerySelect("SELECT plan, COUNT(*) AS n FROM prod.core.users_v1 GROUP BY plan")
  }
}
