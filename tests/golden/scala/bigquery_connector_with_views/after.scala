import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession): Unit = {
    spark.conf.set("viewsEnabled", "true")
    spark.conf.set("materializationDataset", "tmp")
    spark.read.format("bigquery").option("query", """
      |SELECT account_id AS user_id, geo.country AS country,
      |       CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, score
      |FROM prod.core.users_v2
      |WHERE device = 'ALL'
      |""".stripMargin).load().show()
    spark.read.format("bigquery").load("""
      |SELECT account_id AS user_id, geo.country AS country,
      |       CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, score
      |FROM prod.core.users_v2
      |WHERE device = 'ALL'
      |""".stripMargin).show()
    spark.read.format("bigquery").option("query", "SELECT account_id AS user_id FROM prod.core.users_v2 WHERE CASE tier WHEN 3 THEN 'premium' ELSE 'free' END = 'free' AND device = 'ALL'").load().show()
  }
}
