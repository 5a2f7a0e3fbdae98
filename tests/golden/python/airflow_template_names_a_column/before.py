from airflow import DAG
from airflow.operators import SQLExecuteQueryOperator

with DAG("users") as dag:
    SQLExecuteQueryOperator(
        task_id="users",
        sql="SELECT {{ params.column }} FROM prod.core.users_v1",
        params={"column": "user_id"},
    )
