from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


def main():
    (
        spark.read.format("bigquery")
        .option("viewsEnabled", "true")
        .option("materializationDataset", "scratch")
        .option("table", "prod.core.devices_v1")
        .load()
        .show()
    )
