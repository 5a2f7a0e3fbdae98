package a
object Job {
  def run(spark: SparkSession): Unit = spark.table(Tables.Users).show()
}
