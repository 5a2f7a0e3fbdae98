from airflow import DAG
from airflow.operators import BigQueryInsertJobOperator

with DAG("users") as dag:
    load = BigQueryInsertJobOperator(
        task_id="load_users",
        configuration={
            "query": {
                "query": """
                    SELECT account_id AS user_id, geo.country AS country, '{{ ds }}' AS day
                    FROM prod.core.users_v2
                    WHERE CASE tier WHEN 3 THEN 'premium' ELSE 'free' END = 'free' AND device = 'ALL'
                """,
                "useLegacySql": False,
            }
        },
    )
