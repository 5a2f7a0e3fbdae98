from airflow import DAG
from airflow.datasets import Dataset

DEVICES = Dataset("bigquery://prod/core/devices_v1")

with DAG("devices", schedule=[DEVICES]) as dag:
    pass
