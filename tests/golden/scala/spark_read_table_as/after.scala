import org.apache.spark.sql.SparkSession

object Job {
  case class Row(user_id: String, country: String, plan: String, score: Long)
  def run(spark: SparkSession): Unit = {
    import spark.implicits._
    spark.sql("""
      |SELECT
      |  account_id AS user_id,
      |  geo.country AS country,
      |  CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan,
      |  score
      |FROM prod.core.users_v2
      |WHERE
      |  device = 'ALL'
      |""".stripMargin).as[Row].map(_.user_id).show()
  }
}
