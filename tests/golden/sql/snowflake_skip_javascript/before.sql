CREATE OR REPLACE PROCEDURE p() RETURNS STRING LANGUAGE JAVASCRIPT AS
$$
  snowflake.execute({sqlText: "SELECT user_id FROM core.users_v1"});
$$;
