from sqlalchemy import Column, String, select
from sqlalchemy.orm import declarative_base

Base = declarative_base()


class Device(Base):
    __tablename__ = "devices_v1"
    __table_args__ = ({"schema": "prod.core"},)

    device_id = Column(String, primary_key=True)
    model = Column(String)


QUERY = select(Device.model)
