import org.apache.spark.sql.{Dataset, SparkSession}

object SparkJob {
  case class User(user_id: String, country: Option[String], plan: String, score: Option[Long])
  private val Users = "core.users_v1"

  def users(spark: SparkSession): Dataset[User] = {
    import spark.implicits._
    spark.table("core.users_v1").as[User]
  }

  def main(args: Array[String]): Unit = {
    val spark = SparkSession.builder().master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
    args.foreach(statement => spark.sql(statement))
    val country = "SE"
    val results = Seq(
      users(spark).toDF(),
      spark.read.table(Users).filter("plan = 'premium'").select("user_id", "score"),
      spark.sql(s"SELECT country, COUNT(*) AS n FROM $Users WHERE score > 1 GROUP BY country"),
      spark.sql(
        s"""SELECT u.user_id, u.plan -- who pays
           |FROM core.users_v1 u
           |WHERE u.country = '$country'
           |""".stripMargin
      ),
      spark.sql("SELECT plan, MAX(score) AS best FROM %s GROUP BY plan".format(Users))
    )
    results.foreach { result =>
      println("RESULT " + result.columns.mkString(","))
      result.collect().map(_.toString).sorted.foreach(row => println("RESULT " + row))
    }
    spark.stop()
  }
}
