from airflow.providers.common.sql.operators.sql import SQLColumnCheckOperator

SQLColumnCheckOperator(
    task_id="models",
    table="prod.core.devices_v1",
    column_mapping={"model": {"null_check": {"equal_to": 0}}},
)
