SELECT region FROM lands WHERE EXISTS (SELECT * FROM visits_v1 WHERE land = code)
