SELECT name, mails_v1.email
FROM mails_v1
JOIN users_v1 ON users_v1.user_id = mails_v1.user_id
