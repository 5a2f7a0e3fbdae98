from airflow.operators import BigQueryGetDataOperator

BigQueryGetDataOperator(task_id="get", table_project_id="prod", dataset_id="core", table_id="users_v1")
