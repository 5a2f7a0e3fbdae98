import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession): Unit =
    spark.sql("""
      SELECT country, COUNT(*) AS n -- per country: é
      FROM prod.core.users_v1
      WHERE plan = 'premium'
      GROUP BY country
    """).show()
}
