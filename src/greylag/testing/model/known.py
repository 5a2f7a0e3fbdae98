"""Which parameters and kinds of content the APIs know: another one is refused, as the real ones do."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ANTHROPIC_PARAMETERS = _words(
    """
    model messages max_tokens system tools tool_choice stop_sequences stream temperature top_p top_k metadata
    thinking service_tier container mcp_servers context_management output_config output_format cache_control
    inference_geo speed diagnostics fallbacks
    """
)
ANTHROPIC_BLOCKS = _words(
    """
    text image document tool_use tool_result thinking redacted_thinking server_tool_use web_search_tool_result
    search_result mcp_tool_use mcp_tool_result container_upload tool_reference
    """
)
CHAT_PARAMETERS = _words(
    """
    model messages tools tool_choice parallel_tool_calls stream stream_options temperature top_p n stop
    max_tokens max_completion_tokens presence_penalty frequency_penalty logit_bias logprobs top_logprobs
    user seed store metadata response_format reasoning_effort service_tier modalities audio prediction
    verbosity safety_identifier prompt_cache_key prompt_cache_retention
    web_search_options functions function_call
    """
)
RESPONSES_PARAMETERS = _words(
    """
    model input instructions tools tool_choice parallel_tool_calls stream stream_options temperature top_p
    max_output_tokens max_tool_calls store metadata previous_response_id reasoning text truncation user
    include service_tier background conversation prompt prompt_cache_key prompt_cache_retention
    prompt_cache_options safety_identifier top_logprobs context_management client_metadata
    """
)
RESPONSES_ITEMS = _words(
    """
    message reasoning web_search_call file_search_call item_reference compaction compaction_summary
    additional_tools
    """
)
