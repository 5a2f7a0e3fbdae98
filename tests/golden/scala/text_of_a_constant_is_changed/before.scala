import org.apache.spark.sql.SparkSession

object Job {
  private val Query = "SELECT user_id FROM prod.core.users_v1 WHERE plan = 'premium'"

  def run(spark: SparkSession, plan: String): Unit =
    spark.sql(Query.replace("premium", plan)).show()
}
