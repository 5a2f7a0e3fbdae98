-- Users by country, for the weekly mail.
SELECT
  u.country,            -- as the mail shows it
  COUNT(*) AS users
FROM prod.core.users_v1 AS u
WHERE u.plan = 'premium'
GROUP BY u.country
ORDER BY users DESC, u.country
