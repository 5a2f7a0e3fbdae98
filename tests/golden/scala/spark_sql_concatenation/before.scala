import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession, country: String): Unit =
    spark.sql("SELECT user_id " +
      "FROM prod.core.users_v1 " + // the users
      "WHERE country = '" + country + "'").show()
}
