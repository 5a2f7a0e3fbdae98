import psycopg2


def main():
    with psycopg2.connect("dbname=warehouse") as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT model FROM prod.core.devices_v1 WHERE device_id = %s AND model LIKE 'o%%'", ("d1",))
