package a;

final class Tables {
  static final String USERS = "prod.core.users_v1";
}
