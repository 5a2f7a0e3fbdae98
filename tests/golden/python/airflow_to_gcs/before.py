from airflow.providers.google.cloud.transfers.bigquery_to_gcs import BigQueryToGCSOperator

BigQueryToGCSOperator(
    task_id="export",
    source_project_dataset_table="prod.core.devices_v1",
    destination_cloud_storage_uris=["gs://bucket/devices/*.avro"],
)
