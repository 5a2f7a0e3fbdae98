import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession, url: String): Unit =
    spark.read.format("jdbc").options(Map("url" -> url, "dbtable" -> "prod.core.users_v1")).load().show()
}
