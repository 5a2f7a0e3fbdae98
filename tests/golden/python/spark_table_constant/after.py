from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


DEVICES = "prod.core.devices_v2"


def main():
    return spark.sql(f"SELECT device_id, model_name AS model FROM {DEVICES}").select("model")
