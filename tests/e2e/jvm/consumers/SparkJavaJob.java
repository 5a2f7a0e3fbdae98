import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

public class SparkJavaJob {
  private static final String USERS = "core.users_v1";

  public static void main(String[] args) {
    SparkSession spark =
        SparkSession.builder().master("local[1]").config("spark.ui.enabled", "false").getOrCreate();
    Arrays.stream(args).forEach(spark::sql);
    List<Dataset<Row>> results =
        List.of(
            spark.read().table("core.users_v1").select("user_id", "plan"),
            spark.table(USERS),
            spark.sql("SELECT country, COUNT(*) AS n FROM " + USERS + " WHERE plan = 'free' " + "GROUP BY country"),
            spark.sql(
                """
                SELECT u.user_id
                FROM core.users_v1 u -- "users"
                WHERE u.score > 1
                """),
            spark.sql(String.format("SELECT MAX(score) AS best FROM %s WHERE score < %d", USERS, 9)));
    for (Dataset<Row> result : results) {
      System.out.println("RESULT " + String.join(",", result.columns()));
      result.collectAsList().stream().map(Row::toString).sorted().forEach(row -> System.out.println("RESULT " + row));
    }
    spark.stop();
  }
}
