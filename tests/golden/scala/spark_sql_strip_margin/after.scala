import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession, day: String): Unit =
    spark.sql(
      s"""SELECT u.geo.country AS country, u.account_id AS user_id
         |FROM prod.core.users_v2 u
         |WHERE u.account_id <> '$day'
         |  AND u.score > 1
         |  AND u.device = 'ALL'
         |""".stripMargin).show()
}
