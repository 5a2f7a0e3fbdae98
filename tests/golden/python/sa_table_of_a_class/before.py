import sqlalchemy as sa


class Tables:
    devices = sa.Table("devices_v1", sa.MetaData(), sa.Column("model", sa.String), schema="prod.core")


def save(tables, connection):
    connection.execute(tables.devices.insert())
