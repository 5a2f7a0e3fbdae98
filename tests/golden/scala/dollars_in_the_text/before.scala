import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession, c: String): Unit =
    spark.sql(s"SELECT user_id, '$$' AS currency FROM prod.core.users_v1 WHERE country = '$c' AND plan = '$$5'").show()
}
