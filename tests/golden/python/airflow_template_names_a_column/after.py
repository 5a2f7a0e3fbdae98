from airflow import DAG
from airflow.operators import SQLExecuteQueryOperator

with DAG("users") as dag:
    SQLExecuteQueryOperator(
        task_id="users",
        sql="SELECT {{ params.column }} FROM (SELECT account_id AS user_id, geo.country AS country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan FROM prod.core.users_v2 WHERE device = 'ALL') AS users_v1",
        params={"column": "user_id"},
    )
