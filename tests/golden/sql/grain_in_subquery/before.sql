SELECT region FROM lands WHERE code IN (SELECT land FROM visits_v1 WHERE day = DATE '2024-01-01')
