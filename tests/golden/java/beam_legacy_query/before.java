package a;

import org.apache.beam.sdk.io.gcp.bigquery.BigQueryIO;

class Job {
  PCollection<TableRow> run(Pipeline p) {
    return p.apply(BigQueryIO.readTableRows().fromQuery("SELECT user_id FROM prod.core.users_v1"));
  }
}
