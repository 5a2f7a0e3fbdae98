UPDATE prod.core.o SET p = (SELECT MAX(plan) FROM prod.core.users_v1 WHERE user_id = id) WHERE TRUE
