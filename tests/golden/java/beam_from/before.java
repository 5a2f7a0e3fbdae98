package a;

import org.apache.beam.sdk.io.gcp.bigquery.BigQueryIO;

class Job {
  PCollection<TableRow> run(Pipeline p) {
    return p.apply("users_v1", BigQueryIO.readTableRows().from("prod:core.users_v1").withoutValidation());
  }
}
