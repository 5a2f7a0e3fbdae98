package a;

class Job {
  static String users() {
    return "SELECT user_id FROM prod.core.users_v1 WHERE score > 1";
  }
}
