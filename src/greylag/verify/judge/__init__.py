"""The judge: a model that reads a diff against the mapping. Its vote can stop a patch, never pass one."""

from greylag.verify.judge.asking import Post, asked_over
from greylag.verify.judge.diff import NumberedDiff, diff_of
from greylag.verify.judge.judge import NAME, Judge
from greylag.verify.judge.prompt import VERSION, JudgeReply, JudgeRequest
from greylag.verify.judge.questions import QUESTIONS, Question

__all__ = [
    "NAME",
    "QUESTIONS",
    "VERSION",
    "Judge",
    "JudgeReply",
    "JudgeRequest",
    "NumberedDiff",
    "Post",
    "Question",
    "asked_over",
    "diff_of",
]
