import psycopg2


def main():
    with psycopg2.connect("dbname=warehouse") as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT model_name AS model FROM prod.core.devices_v2 WHERE device_id = %s AND model_name LIKE 'o%%'", ("d1",))
