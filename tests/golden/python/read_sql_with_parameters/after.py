import pandas as pd
from warehouse import connect


def main():
    con = connect()
    return con.execute("SELECT model_name AS model FROM prod.core.devices_v2 WHERE device_id = @device", {"device": "d1"})
