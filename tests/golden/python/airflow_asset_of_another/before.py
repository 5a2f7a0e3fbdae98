from airflow.datasets import Dataset

DEVICES = Dataset("bigquery://prod/archive/devices_v1")
LOGS = Dataset("s3://prod/core/devices_v1_logs")
