package a;

import org.apache.spark.sql.*;

class Job {
  void run(SparkSession spark) {
    spark.sql("""
        SELECT country, COUNT(*) AS n -- "é"
        FROM prod.core.users_v1
        WHERE plan = 'premium'
        GROUP BY country
        """).show();
    spark.table("prod.core.users_v1").show();
  }
}
