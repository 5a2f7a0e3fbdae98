SELECT name, email FROM people_v1 WHERE people_v1.person > 1
