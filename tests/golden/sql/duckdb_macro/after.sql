CREATE MACRO m(c) AS TABLE SELECT account_id AS user_id FROM core.users_v2 WHERE country = c AND device = 'ALL';
FROM m('SE');
