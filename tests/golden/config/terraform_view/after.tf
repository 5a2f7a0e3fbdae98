resource "google_bigquery_table" "active" {
  dataset_id = "mart"
  table_id   = "active_users"
  view {
    query = <<-SQL
      SELECT account_id AS user_id
      FROM `prod.core.users_v2`
      WHERE geo.country = '${var.country}' AND device = 'ALL'
    SQL
    use_legacy_sql = false
  }
}
