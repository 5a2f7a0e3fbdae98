import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession): Unit = spark.table("prod.core.users_v1").select("users_v1.user_id").show()
}
