SELECT p.name, b.badge
FROM badges b
LEFT JOIN (
  SELECT p.person, p.name, c.email
  FROM people AS p
  JOIN contacts AS c ON c.person = p.person
) p ON p.person = b.person
