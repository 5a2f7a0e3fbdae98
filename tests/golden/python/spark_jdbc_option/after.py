from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


def main():
    spark.read.format("jdbc").option("dbtable", """
        (
        SELECT device_id, model_name AS model FROM prod.core.devices_v2
        ) devices_v1
    """).option("url", "jdbc:x").load().show()
