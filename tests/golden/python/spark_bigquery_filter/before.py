def devices(spark):
    reader = spark.read.format("bigquery").option("viewsEnabled", "true").option("materializationDataset", "x")
    return (
        spark.read.format("bigquery")
        .option("viewsEnabled", "true")
        .option("materializationDataset", "x")
        .option("filter", "model = 'one'")
        .load("prod.core.devices_v1")
    )
