def copy(spark):
    rows = spark.read.table("prod.core.owners")
    spark.read.table("prod.core.owners").write.format("jdbc").option("dbtable", "prod.core.devices_v1").save()
    return rows
