import org.apache.spark.sql.SparkSession

object Job {
  private val Users = "prod.core.users_v1"
  def run(spark: SparkSession, min: Int): Unit =
    spark.sql("SELECT account_id AS user_id FROM %s WHERE score > %d AND geo.country LIKE 'S%%' AND device = 'ALL'".format("prod.core.users_v2", min)).show()
}
