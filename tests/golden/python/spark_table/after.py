from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


def main():
    users = spark.sql("""
        SELECT
          account_id AS user_id,
          geo.country AS country,
          CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan
        FROM prod.core.users_v2
        WHERE
          device = 'ALL'
    """).select("user_id", "country")
    users.count()
