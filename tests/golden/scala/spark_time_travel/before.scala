import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession): Unit = spark.read.option("versionAsOf", 3).table("prod.core.users_v1").show()
}
