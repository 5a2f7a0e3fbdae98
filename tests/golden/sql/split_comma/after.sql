SELECT accounts.id AS user_id, accounts.name, profiles.email, profiles.score
FROM accounts
JOIN profiles ON profiles.account = accounts.id
WHERE accounts.live
