package a;

import static a.Tables.USERS;

class Job {
  void run(Statement s) throws Exception {
    s.executeQuery("SELECT account_id AS user_id FROM " + "prod.core.users_v2" + " WHERE device = 'ALL'");
    s.executeQuery("SELECT CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan FROM " + "prod.core.users_v2" + " WHERE score > 1 AND device = 'ALL'");
  }
}
