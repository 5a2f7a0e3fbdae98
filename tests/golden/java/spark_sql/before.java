package a;

import org.apache.spark.sql.*;

class Job {
  private static final String USERS = "prod.core.users_v1";

  void run(SparkSession spark, String country) {
    spark.sql("SELECT user_id, plan "
        + "FROM " + USERS + " u "
        + "WHERE u.country = '" + country + "'").show();
    spark.sql(String.format("SELECT COUNT(*) AS n FROM %s WHERE score > %d", USERS, 1)).show();
  }
}
