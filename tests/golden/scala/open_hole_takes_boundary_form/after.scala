import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession, columns: Seq[String], where: String): Unit =
    spark.sql(s"SELECT ${columns.mkString(", ")} FROM (SELECT account_id AS user_id, geo.country AS country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, score FROM prod.core.users_v2 WHERE device = 'ALL') AS users_v1 WHERE $where").show()
}
