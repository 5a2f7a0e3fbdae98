import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession, url: String): Unit =
    spark.read.jdbc(url, "prod.core.users_v1", new java.util.Properties).show()
}
