import sqlalchemy as sa

devices = sa.Table("devices_v1", sa.MetaData(), sa.Column("model", sa.String), schema="prod.core")


def save(connection, model):
    connection.execute(devices.insert().values(model=model))
