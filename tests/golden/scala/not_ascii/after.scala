import org.apache.spark.sql.SparkSession

object Job {
  // Größe 😀 naïve
  val 名 = "ü😀"
  def run(spark: SparkSession): Unit = spark.sql(s"SELECT account_id AS `ключ😀` FROM prod.core.users_v2 WHERE geo.country = '$名' AND device = 'ALL'").show()
}
