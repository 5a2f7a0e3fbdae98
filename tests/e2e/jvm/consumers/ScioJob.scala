import com.spotify.scio.ScioContext
import com.spotify.scio.bigquery._
import com.spotify.scio.bigquery.types.BigQueryType

object ScioJob {
  @BigQueryType.fromTable("core.users_v1")
  class User

  @BigQueryType.fromQuery(
    """
      |SELECT user_id, plan
      |FROM `core.users_v1`
      |WHERE country = 'SE'
    """.stripMargin
  )
  class Swede

  def run(sc: ScioContext): Unit = {
    sc.typedBigQuery[User]().map(u => (u.user_id.getOrElse(""), u.score.map(_ + 1)))
    sc.typedBigQuery[Swede]().map(_.plan.map(_.length))
    sc.bigQueryTable(Table.Spec("core.users_v1")).map(row => row.get("user_id"))
    sc.bigQueryStorage(Table.Spec("core.users_v1"), selectedFields = List("user_id"), rowRestriction = "score > 1")
    sc.bigQuerySelect(Query("SELECT country, COUNT(*) AS n FROM `core.users_v1` GROUP BY country"))
    ()
  }
}
