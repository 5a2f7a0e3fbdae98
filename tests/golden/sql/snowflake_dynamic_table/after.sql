CREATE OR REPLACE DYNAMIC TABLE dt TARGET_LAG = '1 minute' WAREHOUSE = w AS SELECT account_id AS user_id FROM core.users_v2 WHERE device = 'ALL';
