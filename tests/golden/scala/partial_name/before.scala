import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession): Unit = spark.table("core.users_v1").show()
}
