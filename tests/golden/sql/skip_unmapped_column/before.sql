SELECT user_id, legacy_score FROM prod.core.users_v1
