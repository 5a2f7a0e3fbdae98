from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


def main():
    spark.table("prod.core.owners").write.saveAsTable("prod.core.users_v1")
