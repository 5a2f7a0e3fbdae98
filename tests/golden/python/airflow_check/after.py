from airflow.operators import SQLCheckOperator


def main():
    SQLCheckOperator(task_id="models", sql="SELECT COUNT(model_name) AS models FROM prod.core.devices_v2")
