from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


def main():
    spark.table("prod.core.users_v1").write.parquet("out")
