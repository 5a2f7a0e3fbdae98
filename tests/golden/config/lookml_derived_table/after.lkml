view: countries {
  derived_table: {
    sql: SELECT geo.country AS country, COUNT(*) AS n
         FROM prod.core.users_v2
         WHERE device = 'ALL'
         GROUP BY geo.country ;;
  }
}
