import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession): Unit = spark.read.parquet("s3a://lake/core/users_v1/").show()
}
