import com.spotify.scio.bigquery._

object Job {
  def run(sc: ScioContext): Unit = {
    sc.bigQuerySelect(Query("SELECT account_id AS user_id FROM `prod.core.users_v2` WHERE device = 'ALL'"))
    sc.bigQuerySelect("SELECT CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, COUNT(*) AS n FROM prod.core.users_v2 WHERE device = 'ALL' GROUP BY plan")
  }
}
