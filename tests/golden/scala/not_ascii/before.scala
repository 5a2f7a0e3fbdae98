import org.apache.spark.sql.SparkSession

object Job {
  // Größe 😀 naïve
  val 名 = "ü😀"
  def run(spark: SparkSession): Unit = spark.sql(s"SELECT user_id AS `ключ😀` FROM prod.core.users_v1 WHERE country = '$名'").show()
}
