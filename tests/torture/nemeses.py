"""What befalls the workers: each fault begins, lasts, and is healed."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
from estate import Estate
from hosts import Worker, wait_for

#: Where Debian's package faketime puts the library that tells a program another time.
FAKETIME: Final = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
#: A fault is over once its block is; it may choose with the chance that it is given.
Nemesis = Callable[[Estate, random.Random], None]


def killed(estate: Estate, chance: random.Random) -> None:
    """A worker dies as by ``kill -9``, and is started again a while later."""
    worker = chance.choice(estate.workers)
    worker.kill()
    wait_for(chance.uniform(0.0, 1.5 * estate.size.lease))
    worker.start()


def all_killed(estate: Estate, chance: random.Random) -> None:
    """All workers die at once."""
    for worker in estate.workers:
        worker.kill()
    wait_for(chance.uniform(0.0, 2.0))
    for worker in estate.workers:
        worker.start()


def paused(estate: Estate, chance: random.Random) -> None:
    """A worker stands still for longer than its lease, and then goes on as if nothing had been."""
    worker = chance.choice(estate.workers)
    worker.signal(signal.SIGSTOP)
    wait_for(chance.uniform(1.2, 2.5) * estate.size.lease)
    worker.signal(signal.SIGCONT)


def cut_off(estate: Estate, chance: random.Random) -> None:
    """The cable of a host is pulled for longer than the lease."""
    host = chance.choice(estate.workers).host
    host.plug(in_=False)
    wait_for(chance.uniform(1.2, 3.0) * estate.size.lease)
    host.plug(in_=True)


def database_stopped(estate: Estate, chance: random.Random) -> None:
    """The database stops in the middle of everything, and comes back."""
    estate.server.stop()
    wait_for(chance.uniform(0.5, 1.5 * estate.size.lease))
    estate.server.start()


def sessions_ended(estate: Estate, chance: random.Random) -> None:
    """Every connection to the database is ended, again and again."""
    for _ in range(chance.randint(1, 8)):
        with psycopg.connect(estate.server.url, autocommit=True) as line:
            line.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = 'postgres'"
            )
        wait_for(chance.uniform(0.05, 0.5))


def disk_full(estate: Estate, chance: random.Random) -> None:
    """The disk of a worker's home is full."""
    worker = chance.choice(estate.workers)
    with filled(worker):
        wait_for(chance.uniform(1.0, 2.0) * estate.size.lease)


@contextmanager
def filled(worker: Worker) -> Iterator[None]:
    """Leave no room on a worker's disk for as long as the block runs."""
    ballast = worker.home / "ballast"
    try:
        with ballast.open("wb") as file:
            free = os.statvfs(worker.home)
            while (left := free.f_bavail * free.f_frsize) > 0:
                try:
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), left)
                    file.seek(0, os.SEEK_END)
                except OSError:
                    break
                free = os.statvfs(worker.home)
        yield
    finally:
        ballast.unlink(missing_ok=True)


def clock_moved(estate: Estate, chance: random.Random) -> None:
    """A worker's clock is an hour off, one way or the other, and later right again."""
    worker = chance.choice(estate.workers)
    for offset in (chance.choice([-3600, 3600]), 0):
        worker.kill()
        # What counts upwards since the boot nobody can set.
        moved = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": f"{offset:+}", "DONT_FAKE_MONOTONIC": "1"}
        worker.more = moved if offset else {}
        worker.start()
        if offset:
            wait_for(chance.uniform(1.0, 2.0) * estate.size.lease)


def host_lost(estate: Estate, chance: random.Random) -> None:
    """A host dies with all that runs on it and never comes back; another takes its place."""
    worker = chance.choice(estate.workers)
    estate.lost.add(worker.host.name)
    worker.host.die()
    worker.kill()
    worker.host = estate.new_host()
    wait_for(chance.uniform(0.0, 1.5 * estate.size.lease))
    worker.start()


#: What can befall workers of one host.
HERE: Final = (killed, all_killed, paused, database_stopped, sessions_ended)
#: What needs hosts of their own besides.
THERE: Final = (cut_off, disk_full, host_lost)


def known(*, hosts: bool) -> tuple[Nemesis, ...]:
    """Return every fault that can be brought about here."""
    return (*HERE, *(THERE if hosts else ()), *((clock_moved,) if FAKETIME else ()))
