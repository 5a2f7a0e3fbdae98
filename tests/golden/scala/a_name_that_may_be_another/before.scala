import org.apache.spark.sql.SparkSession

object Job {
  private var users = "prod.core.users_v1"
  def run(spark: SparkSession): Unit = {
    users = pick()
    spark.table(users).show()
  }
}
