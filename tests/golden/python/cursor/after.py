from warehouse import connect


def main():
    with connect().cursor() as cursor:
        cursor.execute("SELECT COUNT(*) AS n FROM prod.core.users_v2 WHERE geo.country = 'SE' AND device = 'ALL'")
