from airflow import DAG
from airflow.operators import BigQueryTableExistenceSensor

with DAG("users") as dag:
    wait = BigQueryTableExistenceSensor(
        task_id="wait_for_users",
        project_id="prod",
        dataset_id="core",
        table_id="users_v1",
    )
