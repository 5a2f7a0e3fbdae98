import org.apache.spark.sql.SparkSession

object Job {
  private val Users = "prod.core.users_v1"
  def run(spark: SparkSession): Unit = {
    spark.sql(s"SELECT account_id AS user_id, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan FROM prod.core.users_v2 WHERE score > 1 AND device = 'ALL'").show()
    spark.sql(s"SELECT COUNT(*) AS n FROM prod.core.users_v2 WHERE device = 'ALL'").show()
  }
}
