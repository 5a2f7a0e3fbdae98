import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession): Unit = {
    val query = "SELECT user_id FROM prod.core.users_v1 WHERE score > 1"
    spark.sql(query).show()
  }
}
