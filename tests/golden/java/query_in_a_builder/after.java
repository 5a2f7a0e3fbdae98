package a;

class Job {
  String run(boolean all) {
    StringBuilder b = new StringBuilder("SELECT user_id FROM (SELECT account_id AS user_id, geo.country AS country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, score FROM prod.core.users_v2 WHERE device = 'ALL') AS users_v1 WHERE score > 1");
    return all ? b.append(" OR plan = 'free'").toString() : b.toString();
  }
}
