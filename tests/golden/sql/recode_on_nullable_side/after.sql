SELECT v.user_id, COUNTIF(u.tier = 3) AS premium,
  SUM(CASE u.tier WHEN 3 THEN v.pages ELSE 0 END) AS pages
FROM prod.core.visits AS v
LEFT JOIN prod.core.users_v2 AS u ON u.account_id = v.user_id AND u.tier = 3 AND u.device = 'ALL'
GROUP BY v.user_id
