package a;

import org.apache.spark.sql.*;

class Job {
  void run(SparkSession spark) {
    Dataset<Row> users = spark.read().table("prod.core.users_v1");
    users.select("user_id").show();
  }
}
