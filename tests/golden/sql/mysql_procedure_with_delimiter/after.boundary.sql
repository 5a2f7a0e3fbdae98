DELIMITER //
CREATE PROCEDURE p()
BEGIN
  DECLARE x INT;
  SELECT COUNT(*) INTO x FROM (
    SELECT account_id AS user_id, country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, n
    FROM core.users_v2 WHERE device = 'ALL'
  ) AS users_v1;
  IF x > 0 THEN
    INSERT INTO core.o (id) SELECT user_id FROM (
      SELECT account_id AS user_id, country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, n
      FROM core.users_v2 WHERE device = 'ALL'
    ) AS users_v1;
  END IF;
END //
DELIMITER ;
