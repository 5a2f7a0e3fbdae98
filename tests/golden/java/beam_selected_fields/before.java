package a;

import org.apache.beam.sdk.io.gcp.bigquery.BigQueryIO;

class Job {
  PCollection<TableRow> run(Pipeline p) {
    return p.apply(BigQueryIO.readTableRows().from("prod:core.users_v1").withSelectedFields(List.of("user_id")));
  }
}
