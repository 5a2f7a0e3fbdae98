from airflow import DAG
from airflow.operators import SQLExecuteQueryOperator

with DAG("users") as dag:
    SQLExecuteQueryOperator(
        task_id="users",
        conn_id="warehouse",
        sql=[
            "SELECT user_id FROM prod.core.users_v1 WHERE country = '{{ params.country }}'",
            "SELECT model FROM prod.core.devices_v1",
        ],
        params={"country": "SE"},
    )
