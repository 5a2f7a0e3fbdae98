package a;

import org.apache.spark.sql.*;

class Job {
  void run(SparkSession spark) {
    Dataset<Row> users = spark.sql(
        "SELECT\n"
            + "  account_id AS user_id,\n"
            + "  geo.country AS country,\n"
            + "  CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan,\n"
            + "  score\n"
            + "FROM prod.core.users_v2\n"
            + "WHERE\n"
            + "  device = 'ALL'");
    users.select("user_id").show();
  }
}
