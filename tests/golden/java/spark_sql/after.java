package a;

import org.apache.spark.sql.*;

class Job {
  private static final String USERS = "prod.core.users_v1";

  void run(SparkSession spark, String country) {
    spark.sql("SELECT account_id AS user_id, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan "
        + "FROM " + "prod.core.users_v2" + " u "
        + "WHERE u.geo.country = '" + country + "' AND device = 'ALL'").show();
    spark.sql(String.format("SELECT COUNT(*) AS n FROM %s WHERE score > %d AND device = 'ALL'", "prod.core.users_v2", 1)).show();
  }
}
