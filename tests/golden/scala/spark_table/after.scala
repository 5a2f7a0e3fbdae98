import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession): Unit = {
    val users = spark.sql("""
      |SELECT
      |  account_id AS user_id,
      |  geo.country AS country,
      |  CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan,
      |  score
      |FROM prod.core.users_v2
      |WHERE
      |  device = 'ALL'
      |""".stripMargin)
    users.filter("plan = 'premium'").select("user_id").show()
  }
}
