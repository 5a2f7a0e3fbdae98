view: countries {
  derived_table: {
    sql: SELECT country, COUNT(*) AS n
         FROM prod.core.users_v1
         GROUP BY country ;;
  }
}
