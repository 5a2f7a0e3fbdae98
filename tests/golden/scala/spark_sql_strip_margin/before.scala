import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession, day: String): Unit =
    spark.sql(
      s"""SELECT u.country, u.user_id
         |FROM prod.core.users_v1 u
         |WHERE u.user_id <> '$day'
         |  AND u.score > 1
         |""".stripMargin).show()
}
