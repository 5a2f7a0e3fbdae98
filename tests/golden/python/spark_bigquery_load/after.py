from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


def main():
    reader = spark.read.format("bigquery").option("viewsEnabled", "true").option("materializationDataset", "x").option("query", """
        SELECT device_id, model_name AS model FROM prod.core.devices_v2
    """).load()
    reader.show()
