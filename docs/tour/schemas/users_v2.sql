CREATE TABLE prod.core.users_v2 (
  account_id STRING NOT NULL,
  geo STRUCT<country STRING>,
  tier INT64,
  device STRING
);
