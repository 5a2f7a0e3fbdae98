package a;

import org.apache.beam.sdk.io.gcp.bigquery.BigQueryIO;

class Job {
  void run(PCollection<TableRow> rows) {
    rows.apply(BigQueryIO.writeTableRows().to("prod:core.users_v1"));
  }
}
