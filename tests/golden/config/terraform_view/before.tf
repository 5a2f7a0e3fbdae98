resource "google_bigquery_table" "active" {
  dataset_id = "mart"
  table_id   = "active_users"
  view {
    query = <<-SQL
      SELECT user_id
      FROM `prod.core.users_v1`
      WHERE country = '${var.country}'
    SQL
    use_legacy_sql = false
  }
}
