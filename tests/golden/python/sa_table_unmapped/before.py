import sqlalchemy as sa

users = sa.Table("users_v1", sa.MetaData(), sa.Column("legacy_score", sa.Float), schema="prod.core")
