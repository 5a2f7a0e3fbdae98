import org.apache.spark.sql.SparkSession

object Job {
  def run(connection: Connection): Unit = connection.table("prod.core.users_v1").show()
}
