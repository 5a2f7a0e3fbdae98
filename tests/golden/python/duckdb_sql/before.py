import duckdb


def main():
    con = duckdb.connect("file.db")
    con.sql("SELECT model FROM prod.core.devices_v1 WHERE device_id <> 'd2'")
