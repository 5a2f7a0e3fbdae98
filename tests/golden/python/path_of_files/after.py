import pandas as pd


def main():
    return pd.read_csv("sql/prod/core/users_v1/test.csv")
