import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession, url: String): Unit =
    spark.read.format("jdbc").option("url", url).option("dbtable", "prod.core.users_v1").load().show()
}
