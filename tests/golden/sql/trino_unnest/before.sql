SELECT user_id, x FROM core.users_v1 CROSS JOIN UNNEST(split(country, ',')) AS t(x)
