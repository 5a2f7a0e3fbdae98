from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


def main():
    df = spark.sql("SELECT user_id FROM prod.core.users_v1 WHERE plan = 'free'")
    df.write.parquet("out")
