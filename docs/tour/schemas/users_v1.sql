CREATE TABLE prod.core.users_v1 (
  user_id STRING NOT NULL,
  country STRING,
  plan STRING,
  legacy_score FLOAT64
);
