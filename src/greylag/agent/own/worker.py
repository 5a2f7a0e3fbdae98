"""The agent itself: runs in a cage, keeps nothing between prompts, never runs anything of the repository.

Orders come as JSON lines on standard input, what it does goes out as JSON lines on standard output.
A request depends on the order and the replies alone: asked again, a proxy that has recorded them knows it.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import httpx2
from pydantic_ai import Agent, ModelResponse, TextPart, UsageLimits
from pydantic_ai.exceptions import ModelHTTPError, UsageLimitExceeded
from pydantic_ai.messages import ModelMessagesTypeAdapter, ModelRequest, ToolReturnPart
from pydantic_ai.models import Model
from pydantic_ai.settings import ModelSettings

from greylag.agent.own.channel import Channel, Over
from greylag.agent.own.folder import Folder
from greylag.agent.own.toolset import Wire, toolset

_RETRIES = 5
_TEXT = 20_000
_NAME = 200

Order = dict[str, Any]
"""One prompt: folder, text, system, history, turns, max_tokens, and how the model is reached."""


def model(order: Order, http: httpx2.AsyncClient) -> Model:
    """The model that an order names. Nothing is tried again: the proxy does that."""
    base = str(order["base_url"]).rstrip("/").removesuffix("/v1")
    if order["api"] == "anthropic":
        from anthropic import AsyncAnthropic
        from pydantic_ai.models.anthropic import AnthropicModel, AnthropicModelSettings
        from pydantic_ai.providers.anthropic import AnthropicProvider

        client = AsyncAnthropic(api_key=order["token"], base_url=base, http_client=http, max_retries=0)
        provider = AnthropicProvider(anthropic_client=client)
        cached = AnthropicModelSettings(anthropic_cache_instructions=True, anthropic_cache_messages=True)
        return AnthropicModel(order["model"], provider=provider, settings=cached)
    from openai import AsyncOpenAI
    from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
    from pydantic_ai.providers.openai import OpenAIProvider

    speaker = AsyncOpenAI(api_key=order["token"], base_url=f"{base}/v1", http_client=http, max_retries=0)
    kind = OpenAIResponsesModel if order["api"] == "openai-responses" else OpenAIChatModel
    return kind(order["model"], provider=OpenAIProvider(openai_client=speaker))


async def turn(order: Order, wire: Wire, asked: Model) -> dict[str, object]:
    """One prompt to its end, as the host is told of it. Raises Over, and what pydantic-ai raises."""
    history = ModelMessagesTypeAdapter.validate_json(order["history"]) if order["history"] else None
    with Folder(order["folder"], aliases=(order["folder"],)) as folder:
        agent = Agent(
            asked,
            instructions=order["system"] or None,
            tools=toolset(folder, wire),
            retries=_RETRIES,
            model_settings=ModelSettings(max_tokens=order["max_tokens"]),
        )
        limits = UsageLimits(request_limit=order["turns"])
        said = ""
        async with agent.iter(order["text"], message_history=history, usage_limits=limits) as run:
            async for node in run:
                if Agent.is_model_request_node(node):
                    tell_denied(node.request, wire)
                if Agent.is_call_tools_node(node):
                    said = words(node.model_response)
                    if said:
                        wire.send(note="message", text=said)
            return {
                "end": "ended",
                "text": said,
                "requests": run.usage.requests,
                "history": ModelMessagesTypeAdapter.dump_json(run.all_messages()).decode(),
            }


def tell_denied(request: ModelRequest, wire: Wire) -> None:
    """Tell the host of calls that none of our tools saw: of tools that are not there, or not callable so."""
    for part in request.parts:
        if isinstance(part, ToolReturnPart) and part.retry is not None:
            wire.send(note="denied", what=part.tool_name[:_NAME], reason=part.model_response_str()[:_TEXT])


def words(response: ModelResponse) -> str:
    """What the model said in a reply, besides its calls of tools."""
    return "\n".join(part.content for part in response.parts if isinstance(part, TextPart))[:_TEXT]


async def reached(order: Order, wire: Wire) -> dict[str, object]:
    """One prompt, with the model reached through the socket. How long it may take, the host decides."""
    transport = httpx2.AsyncHTTPTransport(uds=order["socket"])
    async with httpx2.AsyncClient(transport=transport, timeout=None) as http:
        return await turn(order, wire, model(order, http))


def answer(order: Order, wire: Wire, asked: Model | None = None) -> dict[str, object]:
    """One order: how its turn ended. What a model or its API does wrong is told, not raised."""
    try:
        return asyncio.run(reached(order, wire) if asked is None else turn(order, wire, asked))
    except Over as over:
        return {"end": over.end, "text": str(over)}
    except UsageLimitExceeded as error:
        return {"end": "out_of_turns", "text": str(error)}
    except ModelHTTPError as error:
        return {"end": "failed", "status": error.status_code, "text": said(error.body)[:_TEXT]}
    except Exception as error:  # noqa: BLE001 - a reply may be anything, and so is what libraries raise of it
        return {"end": "failed", "text": f"{type(error).__name__}: {error}"[:_TEXT]}


def said(body: object) -> str:
    """The words of an API's error, in the shape of either API; the whole of it where it has another shape."""
    inner = body.get("error", body) if isinstance(body, dict) else body
    message = inner.get("message") if isinstance(inner, dict) else None
    return message if isinstance(message, str) else str(body)


def warm_up(api: str) -> None:
    """Import what the first prompt would, so that it does not wait."""
    from pydantic_ai.models.test import TestModel

    order: Order = {"folder": "/", "history": "", "system": "", "text": "", "max_tokens": 1, "turns": 1}
    asyncio.run(turn(order, Silent(), TestModel(call_tools=[])))
    model({"base_url": "", "api": api, "token": "none", "model": "none"}, httpx2.AsyncClient())


class Silent:
    """Leads nowhere."""

    def send(self, **line: object) -> None:
        """Nobody hears it."""

    def call(self, name: str, **arguments: object) -> str:
        """Nobody answers."""
        raise AssertionError(name)


def main() -> None:
    """Serve orders until the host goes away."""
    channel = Channel()
    warm_up(sys.argv[1])
    channel.send(ready=True)
    while True:
        order = channel.receive()
        channel.send(id=order["id"], **answer(order, channel))


if __name__ == "__main__":
    main()
