def model(dbt, session):
    return dbt.source("core", "users_v1")
