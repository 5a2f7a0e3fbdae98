SELECT b.badge, u.name, u.email
FROM badges b
LEFT JOIN users_v1 u ON u.user_id = b.owner
WHERE b.badge <> 'wood'
