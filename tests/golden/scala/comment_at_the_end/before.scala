import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession): Unit =
    spark.sql("SELECT user_id FROM prod.core.users_v1 -- who")
}
