import sqlalchemy as sa

devices = sa.Table(
    "devices_v1",
    sa.MetaData(),
    sa.Column("model", sa.String, sa.ForeignKey("prod.core.models.model")),
    schema="prod.core",
)
QUERY = sa.select(devices)
