package a;

class Job {
  ResultSet run(Statement s, boolean all) throws SQLException {
    String query = "SELECT user_id FROM prod.core.users_v1 WHERE score > 1";
    if (all) {
      query += " OR plan = 'free'";
    }
    return s.executeQuery(query);
  }
}
