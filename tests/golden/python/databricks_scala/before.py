from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


# COMMAND ----------
# MAGIC %scala
# MAGIC spark.table("prod.core.users_v1")
