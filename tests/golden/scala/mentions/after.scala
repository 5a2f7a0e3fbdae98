import org.apache.spark.sql.SparkSession

object Job {
  /** Reads prod.core.users_v1, "prod.core.users_v1" and /* nested */ more. */
  def run(spark: SparkSession): Unit = {
    // spark.table("prod.core.users_v1")
    log.info("prod.core.users_v1 is not read any more")
    if (gone) throw new IllegalStateException(s"no prod.core.users_v1")
    val text = "the users_v1 table went away"
    spark.table("other.core.users_v1").show()
    spark.sql("SELECT 'prod.core.users_v1' AS name FROM other.t").show()
  }
}
