import org.apache.spark.sql.SparkSession

object Job {
  case class Row(user_id: String, country: String, plan: String, score: Long)
  def run(spark: SparkSession): Unit = {
    import spark.implicits._
    spark.read.table("prod.core.users_v1").as[Row].map(_.user_id).show()
  }
}
