"""Ready-made scripts: what a good, a mistaken, a lazy and a dishonest model would do.

A script is a function of the request alone. `played` makes one from a generator, which reads like a
conversation: it yields what to say and is sent what was heard. Every request plays it anew from the start.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace

from greylag.testing.model.hands import Hands
from greylag.testing.model.values import (
    Action,
    Ask,
    Exchange,
    Fault,
    GiveUp,
    Read,
    Replace,
    Script,
    Seen,
    Step,
    Verify,
    Write,
)

Play = Generator[Step, Exchange, None]
Files = Mapping[str, "str | Sequence[tuple[str, str]] | None"]
"""Path to the whole new text, to (old, new) pairs that each stand in it once, or to None: deleted."""


def played(play: Callable[[Seen], Play]) -> Script:
    """A script from a generator. After its end the model says "Done."."""

    def script(seen: Seen) -> Step:
        acting = play(seen)
        try:
            step = next(acting)
            for exchange in seen.exchanges:
                step = acting.send(exchange)
        except StopIteration:
            return Step("Done.")
        finally:
            acting.close()
        return step

    return script


def steps(*given: Step) -> Script:
    """Say these one after the other, whatever is heard; then "Done."."""
    return lambda seen: given[seen.turn] if seen.turn < len(given) else Step("Done.")


def changes(seen: Seen, files: Files, before: Mapping[str, str] | None = None) -> Play:
    """Read the files, then change them, one reply each: some agents edit only what was read."""
    hands = Hands.of(seen)
    there = tuple(
        Read(path) for path, text in files.items() if not isinstance(text, str) or path in (before or {})
    )
    if there and hands.can(Read):
        yield Step("I read the files first.", there)
    for path, text in files.items():
        yield Step(f"I change {path}.", tuple(_edits(path, text, (before or {}).get(path))))


def _edits(path: str, text: str | Sequence[tuple[str, str]] | None, before: str | None) -> list[Action]:
    if text is None or isinstance(text, str):
        return [Write(path, text, before)]
    return [Replace(path, old, new) for old, new in text]


def apply_patch(files: Files, before: Mapping[str, str] | None = None, *, verify: bool = True) -> Script:
    """The oracle: makes these changes with whichever tools the agent offers, then says that it is done.

    `before` are the texts as they stand: needed where whole texts meet an agent that can only replace.
    """

    @played
    def script(seen: Seen) -> Play:
        yield from changes(seen, files, before)
        if verify and Hands.of(seen).can(Verify):
            yield Step("I verify it.", (Verify(),))
        yield Step("Done: every read was moved.")

    return script


def wrong_then_right(wrong: Files, right: Files, before: Mapping[str, str] | None = None) -> Script:
    """A wrong change; after the next words of the user, the right one. `right` applies to the wrong texts."""

    @played
    def script(seen: Seen) -> Play:
        yield from changes(seen, wrong, before)
        yield Step("Done.")
        yield from changes(seen, right, {path: text for path, text in wrong.items() if isinstance(text, str)})
        yield Step("Now it is right.")

    return script


def lie(text: str = "Done: I migrated every read and all tests pass.") -> Script:
    """Say that it is done, whatever is said, and do nothing."""
    return lambda seen: Step(text)


def weakened_test(files: Files, tests: Files, before: Mapping[str, str] | None = None) -> Script:
    """Make the change, and weaken the tests that would tell."""
    return apply_patch({**files, **tests}, before, verify=False)


def endless(action: Action | None = None, *, path: str = "README.md") -> Script:
    """Never come to an end: read the same file over and over again, or do `action`."""
    return lambda seen: Step(f"I look again ({seen.turn}).", (action or Read(path),))


def asking(question: str, then: Script | None = None, options: Sequence[str] = ()) -> Script:
    """Ask a person first; once answered, go on with `then` (which sees the conversation after the answer)."""

    def script(seen: Seen) -> Step:
        if seen.turn == 0:
            return Step("I have to ask.", (Ask(question, tuple(options)),))
        if then is None:
            return Step("I wait for the answer.")
        return then(_later(seen, 1))

    return script


def giving_up(reason: str) -> Script:
    """Say that it cannot be done."""
    return steps(Step("This is beyond me.", (GiveUp(reason),)), Step("I gave up."))


def faulty(script: Script, faults: Mapping[int, Sequence[Fault]]) -> Script:
    """A script whose turns go wrong first: turn (0 is the first) to the faults, one a request."""

    def failing(seen: Seen) -> Step:
        step = script(seen)
        return Step(step.text, step.do, step.tokens, tuple(faults.get(seen.turn, ())))

    return failing


def after(first: Script, turns: int, then: Script) -> Script:
    """`first` for so many of the model's turns, then `then`, as if the conversation began there."""
    return lambda seen: first(seen) if seen.turn < turns else then(_later(seen, turns))


def attempts(*actions: Action | str, then: Script | None = None) -> Script:
    """Do these one after the other, one reply each (a text is only said); then `then`."""
    tries = tuple(Step(each) if isinstance(each, str) else Step("I try.", (each,)) for each in actions)
    return after(steps(*tries), len(tries), then or lie())


def _later(seen: Seen, turns: int) -> Seen:
    return replace(seen, exchanges=seen.exchanges[turns:])
