from google.cloud import bigquery

client = bigquery.Client()


def main():
    config = {"dry_run": True}
    client.query("SELECT model FROM prod.core.devices_v1", bigquery.QueryJobConfig(use_legacy_sql=True, **config))
