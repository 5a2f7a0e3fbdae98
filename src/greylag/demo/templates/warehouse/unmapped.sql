-- Columns of the old users dataset that the new one has no more.
ALTER TABLE core.users_v1 ADD COLUMN legacy_score DOUBLE;
ALTER TABLE core.users_v1 ADD COLUMN referrer VARCHAR;
UPDATE core.users_v1 SET legacy_score = round(sessions / 10, 1);
UPDATE core.users_v1 AS u SET referrer = s.referrer FROM raw.signups AS s WHERE s.account_id = u.user_id;
