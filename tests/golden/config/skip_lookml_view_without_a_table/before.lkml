view: users_v1 {
  dimension: user_id {}
}
