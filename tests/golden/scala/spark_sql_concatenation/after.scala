import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession, country: String): Unit =
    spark.sql("SELECT account_id AS user_id " +
      "FROM prod.core.users_v2 " + // the users
      "WHERE geo.country = '" + country + "' AND device = 'ALL'").show()
}
