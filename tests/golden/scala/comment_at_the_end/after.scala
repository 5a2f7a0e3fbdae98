import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession): Unit =
    spark.sql("SELECT account_id AS user_id FROM prod.core.users_v2 -- who\nWHERE device = 'ALL'")
}
