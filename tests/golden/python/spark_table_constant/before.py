from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


DEVICES = "prod.core.devices_v1"


def main():
    return spark.table(DEVICES).select("model")
