from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


def main():
    spark.read.format("bigquery").load("prod.core.devices_v1").show()
