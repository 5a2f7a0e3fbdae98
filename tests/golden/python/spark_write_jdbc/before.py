def save(df, url):
    df.write.jdbc(url, "prod.core.devices_v1", mode="append")
