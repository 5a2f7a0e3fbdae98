from sqlalchemy import String, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Owner(Base):
    __tablename__ = "owners_v1"
    __table_args__ = {"schema": "core"}

    device_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(String)


def main():
    with create_engine("postgresql://prod").connect() as connection:
        connection.execute(select(Owner))


def save(session, device):
    session.add(Owner(device_id=device, user_id="u1"))
