SELECT user_id INTO TEMP t FROM core.users_v1
