package a;

interface Users {
  @Query("FROM prod.core.users_v1")
  List<String> find();
}
