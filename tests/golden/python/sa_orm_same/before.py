from sqlalchemy import Column, String, create_engine, select
from sqlalchemy.orm import declarative_base

Base = declarative_base()


class Owner(Base):
    __tablename__ = "owners_v1"
    __table_args__ = {"schema": "core"}

    device_id = Column(String, primary_key=True)
    user_id = Column(String)


def main():
    with create_engine("postgresql://prod").connect() as connection:
        connection.execute(select(Owner.user_id).where(Owner.device_id == "d1"))
