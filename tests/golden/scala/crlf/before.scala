import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession): Unit = {
    spark.table("prod.core.users_v1").show()
    spark.sql("""SELECT user_id
      |FROM prod.core.users_v1
      |WHERE plan <> 'é'""".stripMargin).show()
  }
}
