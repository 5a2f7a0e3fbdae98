def devices(spark):
    reader = spark.read.format("bigquery").option("viewsEnabled", "false").option("materializationDataset", "x")
    return reader, (
        spark.read.format("bigquery")
        .option("viewsEnabled", "false")
        .option("materializationDataset", "x")
        .load("prod.core.devices_v1")
    )
