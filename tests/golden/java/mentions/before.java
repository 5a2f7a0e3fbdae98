package a;

class Job {
  /** Reads {@code prod.core.users_v1}. */
  void run(Statement s) throws Exception {
    LOG.info("reads \"prod.core.users_v1\"");
    s.executeQuery("SELECT a FROM prod.core.users_v1_old");
    throw new IllegalStateException("no prod.core.users_v1"); // prod.core.users_v1
  }
}
