import org.apache.spark.sql.SparkSession

object Job {
  private val Query: String = """SELECT user_id FROM (
  SELECT
    account_id AS user_id,
    geo.country AS country,
    CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan,
    score
  FROM prod.core.users_v2
  WHERE
    device = 'ALL'
) AS users_v1
    WHERE plan = 'free'"""
  def run(spark: SparkSession): Unit = {
    spark.sql(Query).show()
    spark.sql(s"SELECT COUNT(*) AS n FROM ($Query) AS q").show()
  }
}
