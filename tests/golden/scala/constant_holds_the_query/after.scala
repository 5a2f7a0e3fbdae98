import org.apache.spark.sql.SparkSession

object Job {
  private val Query: String = """SELECT account_id AS user_id FROM prod.core.users_v2
    WHERE CASE tier WHEN 3 THEN 'premium' ELSE 'free' END = 'free' AND device = 'ALL'"""
  def run(spark: SparkSession): Unit = {
    spark.sql(Query).show()
    spark.sql(s"SELECT COUNT(*) AS n FROM ($Query) AS q").show()
  }
}
