from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()


# COMMAND ----------
# MAGIC %sql
# MAGIC SELECT account_id AS user_id
# MAGIC FROM prod.core.users_v2
# MAGIC WHERE device = 'ALL'

# COMMAND ----------

# MAGIC %md
# MAGIC Reads prod.core.users_v1.
