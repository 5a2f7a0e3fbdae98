object Tables {
  val Users = "prod.core.users_v1"
}
