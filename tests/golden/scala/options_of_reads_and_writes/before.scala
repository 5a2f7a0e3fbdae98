import org.apache.spark.sql.SparkSession

object Job {
  private val options = Map("dbtable" -> "prod.core.users_v1")
  def run(spark: SparkSession, df: DataFrame): Unit = {
    spark.read.format("jdbc").options(options).load().show()
    df.write.format("jdbc").options(options).save()
  }
}
