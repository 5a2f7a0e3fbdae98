from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


def main():
    df = spark.sql("SELECT account_id AS user_id FROM prod.core.users_v2 WHERE CASE tier WHEN 3 THEN 'premium' ELSE 'free' END = 'free' AND device = 'ALL'")
    df.write.parquet("out")
