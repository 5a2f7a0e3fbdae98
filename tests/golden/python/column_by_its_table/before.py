from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


def main():
    spark.table("prod.core.devices_v1").where("devices_v1.model = 'one'").show()
