view: users_v1 {
  derived_table: {
    sql:
      SELECT account_id AS user_id, geo.country AS country,
             CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan
      FROM prod.core.users_v2
      WHERE device = 'ALL' ;;
  }
  dimension: latest {
    type: yesno
    sql: ${TABLE}.user_id = (SELECT MAX(account_id) FROM prod.core.users_v2 WHERE device = 'ALL') ;;
  }
  dimension: same {
    sql: ${users_v1.user_id} ;;
  }
}
explore: users_v1 {
  join: orders { sql_on: ${users_v1.user_id} = ${orders.user_id} ;; }
}
