DELIMITER //
CREATE PROCEDURE p()
BEGIN
  DECLARE x INT;
  SELECT COUNT(*) INTO x FROM core.users_v1;
  IF x > 0 THEN
    INSERT INTO core.o (id) SELECT user_id FROM core.users_v1;
  END IF;
END //
DELIMITER ;
