package a;

import org.apache.beam.sdk.io.gcp.bigquery.BigQueryIO;

class Job {
  PCollection<TableRow> run(Pipeline p) {
    return p.apply(
        BigQueryIO.readTableRows()
            .fromQuery("SELECT account_id AS user_id FROM `prod.core.users_v2` WHERE score > 1 AND device = 'ALL'")
            .usingStandardSql());
  }
}
