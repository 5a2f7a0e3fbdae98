EXECUTE IMMEDIATE CONCAT('SELECT user_id FROM prod.core.users_v1 WHERE ', x);
