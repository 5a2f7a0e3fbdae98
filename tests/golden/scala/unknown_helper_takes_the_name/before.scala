import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession): Unit = load(spark, "prod.core.users_v1")
}
