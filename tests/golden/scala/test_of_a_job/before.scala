import com.spotify.scio.bigquery._

object Job {
  "Job" should "read" in {
    JobTest[Job.type].input(BigQueryIO[TableRow]("prod:core.users_v1"), rows).run()
  }
}
