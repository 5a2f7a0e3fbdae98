WITH base AS (
  SELECT customer_id, placed_on, total FROM `prod.shop.orders_v1` WHERE placed_on >= '2024-01-01'
),
ranked AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY placed_on) AS n FROM base
),
firsts AS (
  SELECT customer_id, placed_on AS joined_on, total AS first_total FROM ranked WHERE n = 1
),
cohorts AS (
  SELECT DATE_TRUNC(joined_on, MONTH) AS cohort, COUNT(*) AS customers, SUM(first_total) AS gross
  FROM firsts
  GROUP BY cohort
)
SELECT cohorts.cohort, cohorts.customers, cohorts.gross, SUM(customers) OVER (ORDER BY cohort) AS so_far
FROM cohorts
ORDER BY cohort
