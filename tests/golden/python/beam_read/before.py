import apache_beam as beam

with beam.Pipeline() as pipeline:
    pipeline | beam.io.ReadFromBigQuery(table="prod:core.devices_v1")
