SELECT COUNT(*) AS n FROM web_v1, app_v1
