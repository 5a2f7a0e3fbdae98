import org.apache.spark.sql.SparkSession

@main def run(): Unit =
  val spark = SparkSession.builder().appName("users_v1").getOrCreate()
  val users =
    spark.sql("""
      |SELECT
      |  account_id AS user_id,
      |  geo.country AS country,
      |  CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan,
      |  score
      |FROM prod.core.users_v2
      |WHERE
      |  device = 'ALL'
      |""".stripMargin)
  for u <- users.collect() do
    println(u)

enum Plan derives CanEqual:
  case Free, Premium
