import org.apache.spark.sql.SparkSession

@main def run(): Unit =
  val spark = SparkSession.builder().appName("users_v1").getOrCreate()
  val users =
    spark.table("prod.core.users_v1")
  for u <- users.collect() do
    println(u)

enum Plan derives CanEqual:
  case Free, Premium
