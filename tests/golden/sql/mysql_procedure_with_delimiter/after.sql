DELIMITER //
CREATE PROCEDURE p()
BEGIN
  DECLARE x INT;
  SELECT COUNT(*) INTO x FROM core.users_v2 WHERE device = 'ALL';
  IF x > 0 THEN
    INSERT INTO core.o (id) SELECT account_id FROM core.users_v2 WHERE device = 'ALL';
  END IF;
END //
DELIMITER ;
