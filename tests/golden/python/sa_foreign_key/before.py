import sqlalchemy as sa

metadata = sa.MetaData()

devices = sa.Table("devices_v1", metadata, sa.Column("device_id", sa.String), schema="prod.core")
owners = sa.Table(
    "owners",
    metadata,
    sa.Column("device_id", sa.String, sa.ForeignKey("prod.core.devices_v1.device_id")),
    schema="prod.core",
)
QUERY = sa.select(devices).join(owners)
