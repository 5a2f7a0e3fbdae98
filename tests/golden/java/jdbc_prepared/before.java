package a;

import java.sql.*;

class Job {
  ResultSet run(Connection c) throws SQLException {
    PreparedStatement s = c.prepareStatement("SELECT user_id FROM prod.core.users_v1 WHERE country = ? AND plan = 'free'");
    return s.executeQuery();
  }
}
