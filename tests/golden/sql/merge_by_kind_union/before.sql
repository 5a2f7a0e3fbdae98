SELECT amount FROM web_v1
UNION ALL
SELECT app_v1.amount FROM app_v1
