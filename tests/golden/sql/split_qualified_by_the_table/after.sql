SELECT p.name, c.email FROM people AS p JOIN contacts AS c ON c.person = p.person WHERE p.person > 1
