import com.google.api.services.bigquery.model.TableRow;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.io.gcp.bigquery.BigQueryIO;
import org.apache.beam.sdk.values.PCollection;

public class BeamJob {
  static PCollection<TableRow> users(Pipeline p) {
    return p.apply("users_v1", BigQueryIO.readTableRows().from("core.users_v1").withoutValidation());
  }

  static PCollection<TableRow> premium(Pipeline p) {
    return p.apply(
        BigQueryIO.readTableRows()
            .fromQuery("SELECT user_id FROM `core.users_v1` WHERE plan = 'premium'")
            .usingStandardSql());
  }
}
