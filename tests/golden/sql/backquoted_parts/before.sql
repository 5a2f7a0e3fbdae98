SELECT u.user_id
FROM `prod`.core.`users_v1` AS u
WHERE u.country = 'SE'
