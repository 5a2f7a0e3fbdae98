SELECT region FROM lands WHERE code IN (SELECT UPPER(country) FROM visits_v2 WHERE day = DATE '2024-01-01' AND live)
