import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession, project: String): Unit =
    spark.sql(s"SELECT user_id FROM $project.core.users_v1").show()
}
