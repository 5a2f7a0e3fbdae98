SELECT u.account_id AS user_id
FROM `prod`.core.`users_v2` AS u
WHERE u.geo.country = 'SE' AND u.device = 'ALL'
