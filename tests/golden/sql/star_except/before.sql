SELECT * EXCEPT (signup, legacy_score)
FROM prod.core.users_v1
