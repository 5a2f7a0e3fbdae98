SELECT visits, MAX(day) AS d FROM visits_v1 GROUP BY visits
