package a;

interface Users {
  @Query(value = "SELECT account_id AS user_id FROM prod.core.users_v2 WHERE geo.country = :country AND device = 'ALL'", nativeQuery = true)
  List<String> find(@Param("country") String country);
}
