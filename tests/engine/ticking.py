"""Counts every touch of the outside, so that a test can kill the worker at any one of them."""

from __future__ import annotations


class Crash(BaseException):
    """The worker is gone: nobody may catch this."""


class Effects:
    """Counts every touch of the outside, and crashes the worker at one of them."""

    def __init__(self) -> None:
        self.count = 0
        self.crash_at: int | None = None

    def tick(self) -> None:
        self.count += 1
        if self.crash_at is not None and self.count == self.crash_at:
            self.crash_at = None
            raise Crash

    def around(self, port: object) -> Ticking:
        return Ticking(port, self)


class Ticking:
    """Any port, with an effect counted before and after each of its methods."""

    def __init__(self, port: object, effects: Effects) -> None:
        self._port, self._effects = port, effects

    def __getattr__(self, name: str):
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def touch(*args, **kwargs):
            self._effects.tick()
            answer = found(*args, **kwargs)
            if not hasattr(answer, "__enter__"):
                self._effects.tick()
            return answer

        return touch
