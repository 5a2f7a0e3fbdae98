package a;

class Job {
  String run(boolean all) {
    StringBuilder b = new StringBuilder("SELECT user_id FROM prod.core.users_v1 WHERE score > 1");
    return all ? b.append(" OR plan = 'free'").toString() : b.toString();
  }
}
