import org.apache.spark.sql.SparkSession

object Job {
  def run(df: DataFrame): Unit = df.write.mode("overwrite").saveAsTable("prod.core.users_v1")
}
