from airflow.operators import SQLCheckOperator


def main():
    SQLCheckOperator(task_id="models", sql="SELECT COUNT(model) AS models FROM prod.core.devices_v1")
