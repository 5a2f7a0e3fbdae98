import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession): Unit = spark.readStream.table("prod.core.users_v1")
}
