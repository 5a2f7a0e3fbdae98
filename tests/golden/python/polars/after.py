import polars as pl
from warehouse import connect


def main():
    return pl.read_database(query="SELECT model_name AS model FROM prod.core.devices_v2", connection=connect())
