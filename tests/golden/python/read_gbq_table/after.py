import pandas as pd


def main():
    return pd.read_gbq("""
        SELECT account_id AS user_id, geo.country AS country,
               CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan
        FROM prod.core.users_v2
        WHERE device = 'ALL'
    """)[["user_id", "plan"]]
