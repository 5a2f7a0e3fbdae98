import dask.dataframe as dd

devices = dd.read_sql_table("devices_v1", "bigquery://prod", index_col="device_id", schema="prod.core")
