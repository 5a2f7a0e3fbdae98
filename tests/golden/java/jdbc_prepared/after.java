package a;

import java.sql.*;

class Job {
  ResultSet run(Connection c) throws SQLException {
    PreparedStatement s = c.prepareStatement("SELECT account_id AS user_id FROM prod.core.users_v2 WHERE geo.country = ? AND CASE tier WHEN 3 THEN 'premium' ELSE 'free' END = 'free' AND device = 'ALL'");
    return s.executeQuery();
  }
}
