import org.apache.spark.sql.SparkSession

object Job {
  private val Users = "prod.core.users_v1"
  def run(spark: SparkSession): Unit = {
    spark.sql(s"SELECT user_id, plan FROM $Users WHERE score > 1").show()
    spark.sql(s"SELECT COUNT(*) AS n FROM ${Users}").show()
  }
}
