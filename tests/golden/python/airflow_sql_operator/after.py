from airflow import DAG
from airflow.operators import SQLExecuteQueryOperator

with DAG("users") as dag:
    SQLExecuteQueryOperator(
        task_id="users",
        conn_id="warehouse",
        sql=[
            "SELECT account_id AS user_id FROM prod.core.users_v2 WHERE geo.country = '{{ params.country }}' AND device = 'ALL'",
            "SELECT model_name AS model FROM prod.core.devices_v2",
        ],
        params={"country": "SE"},
    )
