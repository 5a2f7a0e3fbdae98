import org.apache.spark.sql.SparkSession

object Job {
  def run(spark: SparkSession, columns: Seq[String], where: String): Unit =
    spark.sql(s"SELECT ${columns.mkString(", ")} FROM prod.core.users_v1 WHERE $where").show()
}
