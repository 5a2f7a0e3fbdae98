SELECT accounts.name, profiles.email
FROM profiles
JOIN accounts ON accounts.id = profiles.account
JOIN profiles AS profiles2 ON profiles2.account = accounts.id
WHERE profiles.score > 1
