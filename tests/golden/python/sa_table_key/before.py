import sqlalchemy as sa

devices = sa.Table("devices_v1", sa.MetaData(), sa.Column("model", sa.String, key="m"), schema="prod.core")
QUERY = sa.select(devices.c.m)
