from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


def main():
    devices = spark.sql("SELECT device_id, model_name AS model FROM prod.core.devices_v2")
    return devices.count()
