import doobie.implicits._

object Job {
  def find(id: String) = sql"SELECT plan FROM prod.core.users_v1 WHERE user_id = $id".query[String].unique
}
