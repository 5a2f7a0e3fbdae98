"""What went wrong with an upstream's answer, and what an agent is told of it."""

from __future__ import annotations

from greylag.agent.proxy.apis import Failure, Reading, Refused
from greylag.agent.proxy.apis.base import garbled, loads
from greylag.agent.proxy.redact import Redactor
from greylag.agent.proxy.upstream import Answer


def failure_of(reached: Answer, reading: Reading) -> Failure | None:
    """Why an answer is no reply; None for one that is whole."""
    if reached.status == 200:
        if reading.failure is not None:
            return reading.failure
        if reached.sse and garbled(reached.content):
            return Failure(status=502, message="the reply is garbled")
        if not reading.complete:
            return Failure(status=502, message=f"the reply was cut off {reached.broken}".strip())
        return None
    if reached.status == 0:
        late = "Timeout" in reached.broken
        return Failure(status=504 if late else 502, message=f"no reply: {reached.broken}")
    document = loads(reached.content) or {}
    error = document.get("error", document)
    message = error.get("message") if isinstance(error, dict) else error
    if isinstance(error, dict) and "insufficient_quota" in (error.get("code"), error.get("type")):
        return Failure(status=402, message=str(message))
    return Failure(status=reached.status, message=str(message or "no reason given")[:2000])


def costs_nothing(reached: Answer) -> bool:
    """Whether an answer that is no reply was surely not billed: it was refused, or never reached anybody."""
    if reached.status == 0:
        return reached.broken.startswith("Connect")
    return reached.status != 200


def refusal_of(failure: Failure, redactor: Redactor) -> Refused:
    """What the agent is told of a failure that trying again does not mend."""
    if failure.status in {401, 403}:
        return Refused(
            f"the model's provider refused the host's key ({failure.status}); no agent can help that. "
            "(For the operator: check the key in agent.upstream.key_env or agent.upstream.key_file.)",
            status=403,
            code="upstream_key",
        )
    status = failure.status if 400 <= failure.status < 500 else 400
    message = redactor(f"the model's provider says: {failure.message}")
    return Refused(message, status=status, code="upstream_refused")
