package a

import org.apache.spark.sql.SparkSession
import a.Tables.Visits

object Job {
  def run(spark: SparkSession): Unit =
    spark.sql(s"SELECT u.user_id FROM ${Tables.Users} u JOIN $Visits v ON v.user_id = u.user_id").show()
}
