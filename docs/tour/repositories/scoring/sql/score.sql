SELECT user_id, legacy_score * 100 AS score
FROM prod.core.users_v1
