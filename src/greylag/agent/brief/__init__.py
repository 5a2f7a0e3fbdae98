"""The brief of an agent: what to do, from the migration, the consumers and the repository's own rules."""

from greylag.agent.brief.house import HouseRules, house_rules
from greylag.agent.brief.make import VERSION, make_brief
from greylag.agent.brief.model import Answered, Brief, BriefInput, VerifierNote
from greylag.agent.brief.summary import summary

__all__ = [
    "VERSION",
    "Answered",
    "Brief",
    "BriefInput",
    "HouseRules",
    "VerifierNote",
    "house_rules",
    "make_brief",
    "summary",
]
