import pandas as pd
from sqlalchemy import create_engine


def main():
    engine = create_engine("bigquery://prod")
    return pd.read_sql_table("devices_v1", engine, schema="prod.core", index_col="device_id")
