package a;

import static a.Tables.USERS;

class Job {
  void run(Statement s) throws Exception {
    s.executeQuery("SELECT user_id FROM " + USERS);
    s.executeQuery("SELECT plan FROM " + Tables.USERS + " WHERE score > 1");
  }
}
