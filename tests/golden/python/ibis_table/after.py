import ibis

con = ibis.bigquery.connect()


def main():
    con.sql("SELECT device_id, model_name AS model FROM prod.core.devices_v2").limit(10)
