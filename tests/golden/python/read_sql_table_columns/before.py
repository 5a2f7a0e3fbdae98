import pandas as pd
from sqlalchemy import create_engine


def main():
    return pd.read_sql("prod.core.devices_v1", create_engine("bigquery://prod"), columns=["model"])
