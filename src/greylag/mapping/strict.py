"""What every model of the migration file is made of: strictness, and faults in our own words."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Tag
from pydantic_core import PydanticCustomError


def fault(message: str) -> PydanticCustomError:
    """An error whose text is told as it is; braces in it are no placeholders."""
    return PydanticCustomError("greylag", "{text}", {"text": message})


def one_of(expected: str) -> Discriminator:
    """Tell text, numbers and mappings apart before validation, so that a wrong one yields one fault."""
    return Discriminator(
        lambda value: {str: "<text>", int: "<number>", dict: "<mapping>"}.get(type(value)),
        custom_error_type="greylag",
        custom_error_message="{text}",
        custom_error_context={"text": f"expected {expected}"},
    )


def _text(value: str) -> str:
    if not value.strip():
        raise fault("expected text")
    return value


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        near = get_close_matches(value, available_timezones(), n=1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        raise fault(
            f"`{value}` is not a time zone{hint} (expected an IANA name, like Europe/Stockholm)"
        ) from None
    return value


Text = Annotated[str, AfterValidator(_text)]
AsText = Annotated[Text, Tag("<text>")]
TimeZone = Annotated[str, AfterValidator(_timezone)]


class Strict(BaseModel):
    """Unknown keys are faults, values are not converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)
