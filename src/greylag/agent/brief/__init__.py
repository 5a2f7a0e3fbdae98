"""The brief of an agent: what to do, from the migration, the consumers and the repository's own rules."""

from greylag.agent.brief.house import HouseRules, house_rules
from greylag.agent.brief.make import VERSION, make_brief, summary
from greylag.agent.brief.model import Answered, Brief, BriefInput, VerifierNote

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
