import org.apache.spark.sql.SparkSession

object Job {
  private val Query: String = """SELECT user_id FROM prod.core.users_v1
    WHERE plan = 'free'"""
  def run(spark: SparkSession): Unit = {
    spark.sql(Query).show()
    spark.sql(s"SELECT COUNT(*) AS n FROM ($Query) AS q").show()
  }
}
