"""Which stacks the words on a command line mean. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from orchestrator.errors import UsageError
from orchestrator.model.stack import Stack, StackKey
from orchestrator.nearest import did_you_mean

_GLOB = frozenset("*?[")
#: Words that narrow what is meant: ``tool=terraform``.
SELECTORS = ("tool", "owner", "env", "tier", "path", "name")


def choose(words: Sequence[str], environment: str, stacks: Mapping[StackKey, Stack]) -> tuple[StackKey, ...]:
    """Return the stacks that ``words`` mean, sorted: names add up, selectors (``tool=terraform``) narrow.

    No words mean every stack. Raises UsageError where a word means none, with the nearest spelling.
    """
    _known_environment(environment, stacks)
    names = [word for word in words if "=" not in word]
    found = {key for word in names for key in named(word, environment, stacks)} if names else _in(environment, stacks)
    for word in words:
        if "=" in word:
            found = {key for key in found if _selected(word, stacks[key])}
            if not found:
                raise UsageError(f'no stack fits "{word}"', code="HF-1901", hint="see: holdfast status")
    return tuple(sorted(found))


def choose_one(word: str, environment: str, stacks: Collection[StackKey]) -> StackKey:
    """Return the one stack that ``word`` means. Raises UsageError where it means none, or several."""
    found = sorted(named(word, environment, stacks))
    if len(found) > 1:
        # The same name in several sources is told apart by its source alone.
        distinct = len({key.short for key in found}) == len(found)
        several = ", ".join(key.short if distinct else str(key) for key in found)
        raise UsageError(f'"{word}" means {len(found)} stacks: {several}', code="HF-1902", hint="name one of them")
    return found[0]


def named(word: str, environment: str, stacks: Iterable[StackKey]) -> set[StackKey]:
    """Return the stacks that a name, ``name@env``, full key or glob means. Raises UsageError where there is none."""
    every = list(stacks)
    within = [key for key in every if not environment or key.environment == environment]
    match = _globbed if _GLOB & set(word) else _spelled
    found = {key for key in within if match(word, key)}
    if not found:
        elsewhere = sorted({key.environment for key in every if match(word, key)})
        where = f' in environment "{environment}"' if environment else ""
        hint = f"it is in {', '.join(elsewhere)}" if elsewhere else did_you_mean(word, spellings(within))
        raise UsageError(f'no stack "{word}"{where}', code="HF-1901", hint=hint or "see: holdfast status")
    return found


def spellings(stacks: Iterable[StackKey]) -> list[str]:
    """Return every word that names a stack: ``name`` and ``name@env``."""
    return sorted({word for key in stacks for word in (key.name, key.short)})


def _known_environment(environment: str, stacks: Iterable[StackKey]) -> None:
    known = {key.environment for key in stacks}
    if environment and known and environment not in known:
        hint = did_you_mean(environment, known) or f"there are: {', '.join(sorted(known))}"
        raise UsageError(f'no environment "{environment}"', code="HF-1903", hint=hint)


def _in(environment: str, stacks: Iterable[StackKey]) -> set[StackKey]:
    return {key for key in stacks if not environment or key.environment == environment}


def _spelled(word: str, key: StackKey) -> bool:
    return word in {key.name, f"{key.name}@{key.environment}", str(key)}


def _globbed(word: str, key: StackKey) -> bool:
    names = [f"{key.name}@{key.environment}", str(key)] if "@" in word or "/" in word else [key.name]
    return any(fnmatchcase(name, word) for name in (*names, key.name))


def _selected(word: str, stack: Stack) -> bool:
    kind, _, wanted = word.partition("=")
    values = {
        "tool": (stack.tool,),
        "owner": stack.owners,
        "env": (stack.key.environment,),
        "tier": (stack.tier,),
        "path": (str(stack.path),),
        "name": (stack.key.name,),
    }
    if kind not in values:
        hint = did_you_mean(kind, SELECTORS) or f"there are: {', '.join(SELECTORS)}"
        raise UsageError(f'no selector "{kind}"', code="HF-1901", hint=hint)
    return any(fnmatchcase(value, wanted) for value in values[kind])
