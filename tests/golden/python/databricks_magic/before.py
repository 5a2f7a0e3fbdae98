from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


# COMMAND ----------
# MAGIC %sql
# MAGIC SELECT user_id
# MAGIC FROM prod.core.users_v1

# COMMAND ----------

# MAGIC %md
# MAGIC Reads prod.core.users_v1.
