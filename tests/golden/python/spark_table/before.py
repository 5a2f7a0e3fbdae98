from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


def main():
    users = spark.table("prod.core.users_v1").select("user_id", "country")
    users.count()
