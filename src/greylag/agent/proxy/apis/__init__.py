"""The APIs of models that agents speak, by name."""

from __future__ import annotations

from greylag.agent.proxy.apis.anthropic import AnthropicMessages
from greylag.agent.proxy.apis.base import Api, ApiName, Checked, Failure, Reading, Refused, Rules
from greylag.agent.proxy.apis.chat import ChatCompletions
from greylag.agent.proxy.apis.responses import Responses

APIS: dict[ApiName, Api] = {api.name: api for api in (AnthropicMessages(), ChatCompletions(), Responses())}

__all__ = ["APIS", "Api", "ApiName", "Checked", "Failure", "Reading", "Refused", "Rules"]
