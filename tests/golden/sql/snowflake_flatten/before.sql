SELECT u.user_id, f.value FROM core.users_v1 u, LATERAL FLATTEN(INPUT => SPLIT(u.country, ',')) f WHERE u.n > 1
