"""What happened in an attempt of an agent, written as it happens: one file of JSON lines an attempt."""

from greylag.agent.transcript.model import Level, Record, Transcript
from greylag.agent.transcript.reading import read_transcript
from greylag.agent.transcript.retention import Attempt, attempts, folder_of, prune
from greylag.agent.transcript.summary import Resumable, Summary, resumable, summary
from greylag.agent.transcript.writer import TranscriptWriter

__all__ = [
    "Attempt",
    "Level",
    "Record",
    "Resumable",
    "Summary",
    "Transcript",
    "TranscriptWriter",
    "attempts",
    "folder_of",
    "prune",
    "read_transcript",
    "resumable",
    "summary",
]
