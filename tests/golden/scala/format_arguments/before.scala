import org.apache.spark.sql.SparkSession

object Job {
  private val Users = "prod.core.users_v1"
  def run(spark: SparkSession, min: Int): Unit =
    spark.sql("SELECT user_id FROM %s WHERE score > %d AND country LIKE 'S%%'".format(Users, min)).show()
}
