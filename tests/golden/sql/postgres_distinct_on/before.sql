SELECT DISTINCT ON (country) country, user_id FROM core.users_v1 ORDER BY country, n DESC
