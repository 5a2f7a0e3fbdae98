import pandas as pd
from warehouse import connect


def main():
    con = connect()
    return con.execute("SELECT model FROM prod.core.devices_v1 WHERE device_id = @device", {"device": "d1"})
