SELECT u.user_id, x FROM prod.core.users_v1 u, UNNEST(SPLIT(u.country, ',')) AS x
