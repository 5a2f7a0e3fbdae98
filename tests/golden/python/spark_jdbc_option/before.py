from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


def main():
    spark.read.format("jdbc").option("dbtable", "prod.core.devices_v1").option("url", "jdbc:x").load().show()
