import duckdb


def main():
    con = duckdb.connect("file.db")
    con.sql("SELECT model_name AS model FROM prod.core.devices_v2 WHERE device_id <> 'd2'")
