package a;

class Job {
  String run() {
    StringBuilder b = new StringBuilder();
    b.append("SELECT user_id");
    b.append(" FROM prod.core.users_v1");
    return b.toString();
  }
}
