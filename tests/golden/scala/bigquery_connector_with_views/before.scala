import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession): Unit = {
    spark.conf.set("viewsEnabled", "true")
    spark.conf.set("materializationDataset", "tmp")
    spark.read.format("bigquery").option("table", "prod.core.users_v1").load().show()
    spark.read.format("bigquery").load("prod.core.users_v1").show()
    spark.read.format("bigquery").option("query", "SELECT user_id FROM prod.core.users_v1 WHERE plan = 'free'").load().show()
  }
}
