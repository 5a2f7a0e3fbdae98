CREATE OR REPLACE TABLE prod.mart.reach AS
SELECT c.campaign, COUNT(DISTINCT u.user_id) AS reached
FROM prod.mart.clicks AS c
JOIN `prod.core.users_v1` AS u ON u.user_id = c.user_id AND u.plan != 'free'
GROUP BY c.campaign;
