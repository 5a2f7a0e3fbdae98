SELECT p.name, b.badge
FROM badges b
LEFT JOIN people_v1 p ON p.person = b.person
