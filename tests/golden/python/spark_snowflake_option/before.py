from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


def main():
    spark.read.format("snowflake").option("sfSchema", "CORE").option("dbtable", "prod.core.owners_v1").load().show()
