import pandas as pd


def main():
    return pd.read_gbq("SELECT user_id FROM prod.core.users_v1 WHERE country = 'SE'", project_id="prod")
