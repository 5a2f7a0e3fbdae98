import com.spotify.scio.bigquery._

object Job {
  def run(sc: ScioContext): Unit = sc.avroFile("gs://bucket/users_v1/*.avro", schema)
}
