from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


def main():
    reader = spark.read.format("bigquery").option("viewsEnabled", "true").option("materializationDataset", "x").load("prod.core.devices_v1")
    reader.show()
