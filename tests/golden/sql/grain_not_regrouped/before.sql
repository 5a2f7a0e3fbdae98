SELECT day, land, visits FROM visits_v1 WHERE day = DATE '2024-01-01'
