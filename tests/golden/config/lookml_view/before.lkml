view: users {
  # the old table
  sql_table_name: `prod.core.users_v1` ;;

  dimension: user_id {
    primary_key: yes
    sql: ${TABLE}.user_id ;;
  }
}
