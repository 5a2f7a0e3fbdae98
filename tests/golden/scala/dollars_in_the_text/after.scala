import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession, c: String): Unit =
    spark.sql(s"SELECT account_id AS user_id, '$$' AS currency FROM prod.core.users_v2 WHERE geo.country = '$c' AND CASE tier WHEN 3 THEN 'premium' ELSE 'free' END = '$$5' AND device = 'ALL'").show()
}
