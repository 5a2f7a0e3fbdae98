package a;

import org.apache.spark.sql.*;

class Job {
  void run(SparkSession spark) {
    spark.sql("""
        SELECT geo.country AS country, COUNT(*) AS n -- "é"
        FROM prod.core.users_v2
        WHERE tier = 3 AND device = 'ALL'
        GROUP BY geo.country
        """).show();
    spark.sql("""
            SELECT
              account_id AS user_id,
              geo.country AS country,
              CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan,
              score
            FROM prod.core.users_v2
            WHERE
              device = 'ALL'
            """).show();
  }
}
