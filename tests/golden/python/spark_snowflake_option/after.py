from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


def main():
    spark.read.format("snowflake").option("sfSchema", "CORE").option("query", """
        SELECT device_id, user_id AS person FROM prod.core.owners
    """).load().show()
