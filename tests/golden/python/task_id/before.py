from airflow import DAG
from airflow.operators import BigQueryInsertJobOperator

with DAG("users_v1") as dag:
    BigQueryInsertJobOperator(
        task_id="users_v1",
        configuration={"query": {"query": "SELECT device_id FROM prod.core.owners", "useLegacySql": False}},
    )
