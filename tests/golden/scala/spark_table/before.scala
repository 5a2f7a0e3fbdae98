import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession): Unit = {
    val users = spark.table("prod.core.users_v1")
    users.filter("plan = 'premium'").select("user_id").show()
  }
}
