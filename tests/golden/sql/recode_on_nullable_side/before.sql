SELECT v.user_id, COUNTIF(u.plan = 'premium') AS premium,
  SUM(CASE u.plan WHEN 'premium' THEN v.pages ELSE 0 END) AS pages
FROM prod.core.visits AS v
LEFT JOIN prod.core.users_v1 AS u ON u.user_id = v.user_id AND u.plan <> 'free'
GROUP BY v.user_id
