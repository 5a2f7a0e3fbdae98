from airflow import DAG
from airflow.operators import BigQueryInsertJobOperator

with DAG("users") as dag:
    load = BigQueryInsertJobOperator(
        task_id="load_users",
        configuration={
            "query": {
                "query": """
                    SELECT user_id, country, '{{ ds }}' AS day
                    FROM prod.core.users_v1
                    WHERE plan = 'free'
                """,
                "useLegacySql": False,
            }
        },
    )
