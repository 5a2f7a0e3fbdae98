import pandas as pd


def main():
    return pd.read_gbq("prod.core.users_v1")[["user_id", "plan"]]
