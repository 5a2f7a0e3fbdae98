import polars as pl
from warehouse import connect


def main():
    return pl.read_database(query="SELECT model FROM prod.core.devices_v1", connection=connect())
