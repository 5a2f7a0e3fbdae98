"""Numbers about users, for the weekly report."""

from acme.alerts import page
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

SOURCE = "core.users_v1"


def swedes(spark):
    users = spark.table(SOURCE).filter(F.col("country") == "SE")
    return users.select("user_id", "score").orderBy("user_id", "score")


def plans(spark, floor: int = 1):
    frame = spark.sql("SELECT plan, COUNT(*) AS n, MAX(score) AS best FROM core.users_v1 GROUP BY plan")
    frame = frame.filter(frame.n >= floor)
    frame.write.mode("overwrite").saveAsTable("marts.plans")
    return spark.table("marts.plans").count()


def main():
    spark = SparkSession.builder.appName("users").getOrCreate()
    page(swedes(spark).count(), plans(spark))
    spark.stop()


if __name__ == "__main__":
    main()
