import org.apache.spark.sql.SparkSession

object Job {
  private val Core = "prod.core"
  private val Users = s"$Core.users_v1"
  def run(spark: SparkSession): Unit = spark.table(Users).show()
}
