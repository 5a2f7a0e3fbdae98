BEGIN
  SELECT user_id FROM prod.core.users_v1;
EXCEPTION WHEN ERROR THEN
  SELECT @@error.message;
END;
