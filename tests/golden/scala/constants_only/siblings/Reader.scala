package a
object Reader {
  def run(spark: SparkSession): Unit = spark.table(Tables.Users).show()
}
