import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession): Unit =
    spark.read.format("bigquery").option("table", "prod.core.users_v1").load().show()
}
