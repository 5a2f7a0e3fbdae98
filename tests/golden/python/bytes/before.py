from warehouse import connect

connect().send(b"SELECT user_id FROM prod.core.users_v1")
