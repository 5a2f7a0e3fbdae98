view: users_v1 {
  sql_table_name: prod.core.users_v1 ;;
  dimension: latest {
    type: yesno
    sql: ${TABLE}.user_id = (SELECT MAX(user_id) FROM prod.core.users_v1) ;;
  }
  dimension: same {
    sql: ${users_v1.user_id} ;;
  }
}
explore: users_v1 {
  join: orders { sql_on: ${users_v1.user_id} = ${orders.user_id} ;; }
}
