view: users {
  # the old table
  derived_table: {
    sql:
      SELECT account_id AS user_id, geo.country AS country,
             CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan
      FROM prod.core.users_v2
      WHERE device = 'ALL' ;;
  }

  dimension: user_id {
    primary_key: yes
    sql: ${TABLE}.user_id ;;
  }
}
