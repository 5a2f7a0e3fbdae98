SELECT name, email FROM (
  SELECT p.person, p.name, c.email
  FROM people AS p
  JOIN contacts AS c ON c.person = p.person
) AS people_v1 WHERE people_v1.person > 1
