from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


def main():
    devices = spark.read.table("prod.core.devices_v1")
    return devices.count()
