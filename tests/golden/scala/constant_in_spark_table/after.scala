import org.apache.spark.sql.SparkSession

object Job {
  private val Core = "prod.core"
  private val Users = s"$Core.users_v1"
  def run(spark: SparkSession): Unit = spark.sql("""
    |SELECT
    |  account_id AS user_id,
    |  geo.country AS country,
    |  CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan,
    |  score
    |FROM prod.core.users_v2
    |WHERE
    |  device = 'ALL'
    |""".stripMargin).show()
}
