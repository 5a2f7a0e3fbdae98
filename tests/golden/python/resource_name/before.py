from google.cloud.bigquery_storage import ReadSession

TABLE = "projects/prod/datasets/core/tables/devices_v1"
session = ReadSession(table=TABLE)
