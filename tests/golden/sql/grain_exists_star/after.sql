SELECT region FROM lands WHERE EXISTS (SELECT * FROM visits_v2 WHERE UPPER(country) = code AND live)
