import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession): Unit =
    spark.sql("""
      SELECT geo.country AS country, COUNT(*) AS n -- per country: é
      FROM prod.core.users_v2
      WHERE tier = 3 AND device = 'ALL'
      GROUP BY geo.country
    """).show()
}
