import ibis

con = ibis.duckdb.connect()
users = con.tables.users_v1
