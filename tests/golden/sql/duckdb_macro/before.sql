CREATE MACRO m(c) AS TABLE SELECT user_id FROM core.users_v1 WHERE country = c;
FROM m('SE');
