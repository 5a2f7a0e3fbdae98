import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession): Unit = {
    val query = "SELECT account_id AS user_id FROM prod.core.users_v2 WHERE score > 1 AND device = 'ALL'"
    spark.sql(query).show()
  }
}
