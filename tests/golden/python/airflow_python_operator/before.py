from airflow import DAG
from airflow.operators import BigQueryHook, PythonOperator


def count_users(country, **context):
    hook = BigQueryHook(gcp_conn_id="warehouse")
    return hook.get_records(f"SELECT COUNT(*) AS n FROM prod.core.users_v1 WHERE country = '{country}'")


with DAG("users") as dag:
    PythonOperator(task_id="count", python_callable=count_users, op_kwargs={"country": "SE"})
