package a;

import org.apache.beam.sdk.io.gcp.bigquery.BigQueryIO;

class Job {
  PCollection<TableRow> run(Pipeline p) {
    return p.apply("users_v1", BigQueryIO.readTableRows().fromQuery(
        "SELECT account_id AS user_id, geo.country AS country,\n"
            + "       CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, score\n"
            + "FROM prod.core.users_v2\n"
            + "WHERE device = 'ALL'").usingStandardSql().withoutValidation());
  }
}
