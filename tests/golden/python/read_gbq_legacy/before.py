import pandas as pd

devices = pd.read_gbq("prod.core.devices_v1", dialect="legacy")
