from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


def main():
    (
        spark.read.format("bigquery")
        .option("viewsEnabled", "true")
        .option("materializationDataset", "scratch")
        .option("query", "SELECT device_id, model_name AS model FROM prod.core.devices_v2")
        .load()
        .show()
    )
