"""The verify loop: ours, outside of the agent. Prompt, look at what changed, check, say what failed."""

from greylag.agent.loop.decide import accepts
from greylag.agent.loop.desk import Collected, Desk, Seen
from greylag.agent.loop.resume import Resume, load_resume
from greylag.agent.loop.run import run_attempt
from greylag.agent.loop.trim import tell_failures, trim

__all__ = [
    "Collected",
    "Desk",
    "Resume",
    "Seen",
    "accepts",
    "load_resume",
    "run_attempt",
    "tell_failures",
    "trim",
]
