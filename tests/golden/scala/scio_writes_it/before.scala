import com.spotify.scio.bigquery._

object Job {
  def run(rows: SCollection[TableRow]): Unit = rows.saveAsBigQueryTable(Table.Spec("prod:core.users_v1"))
}
