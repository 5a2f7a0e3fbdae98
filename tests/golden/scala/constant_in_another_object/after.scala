package a

import org.apache.spark.sql.SparkSession
import a.Tables.Visits

object Job {
  def run(spark: SparkSession): Unit =
    spark.sql(s"SELECT u.account_id AS user_id FROM prod.core.users_v2 u JOIN $Visits v ON v.user_id = u.account_id WHERE u.device = 'ALL'").show()
}
