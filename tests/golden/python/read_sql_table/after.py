import pandas as pd
from sqlalchemy import create_engine


def main():
    engine = create_engine("bigquery://prod")
    return pd.read_sql_query("SELECT device_id, model_name AS model FROM prod.core.devices_v2", engine, index_col="device_id")
