import ibis

con = ibis.bigquery.connect()


def main():
    con.table("prod.core.devices_v1").limit(10)
