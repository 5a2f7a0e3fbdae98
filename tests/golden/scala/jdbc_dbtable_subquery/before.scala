import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession, url: String): Unit =
    spark.read.format("jdbc").option("url", url)
      .option("dbtable", "(SELECT user_id FROM prod.core.users_v1 WHERE score > 1) t").load().show()
}
