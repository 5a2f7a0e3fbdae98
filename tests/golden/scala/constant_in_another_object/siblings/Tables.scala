package a

object Tables {
  val Users = "prod.core.users_v1"
  val Visits = "prod.core.visits"
}
