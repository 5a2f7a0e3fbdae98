package a;

interface Users {
  @Query(value = "SELECT user_id FROM prod.core.users_v1 WHERE country = :country", nativeQuery = true)
  List<String> find(@Param("country") String country);
}
