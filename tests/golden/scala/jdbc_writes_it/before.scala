import org.apache.spark.sql.SparkSession

object Job {
  def run(df: DataFrame, url: String): Unit = {
    val writer = df.write.format("jdbc").option("url", url)
    writer.option("dbtable", "prod.core.users_v1").save()
  }
}
