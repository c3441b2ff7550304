"""One source with everything around it, as a command finds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.assembly.host import open_host
from orchestrator.config.operator import Operator
from orchestrator.effects.directory import to_nobody
from orchestrator.effects.encryption import Cipher
from orchestrator.effects.lineage import Lineage
from orchestrator.effects.record import SqlRecord
from orchestrator.effects.rotation import Rotation
from orchestrator.effects.secrets import StoreSecrets
from orchestrator.effects.sources import VersionedSources
from orchestrator.effects.whereabouts import Whereabouts
from orchestrator.effects.working_tree import WorkingTree
from orchestrator.engine.outside import Outside, Reading, read_at
from orchestrator.engine.renaming import follow_renames
from orchestrator.engine.watch import NO_RUN, last_good, read_source
from orchestrator.errors import RevisionRejected, UsageError
from orchestrator.model.source import Source, SourceKind, Verify
from orchestrator.model.stack import StackKey


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One source on this host, with everything that the engine can touch."""

    outside: Outside
    source: Source
    home: Path
    #: Who asks: the e-mail address of the person's git, else their login name.
    actor: str
    operator: Operator
    secrets: StoreSecrets
    record: SqlRecord
    #: Vouches for what leaves the record.
    cipher: Cipher
    rotation: Rotation
    _sources: VersionedSources
    _working_tree: WorkingTree | None

    def read(self, *, ref: str = "", dirty: bool = False) -> Reading:
        """Read the source at its newest revision, at ``ref``, or the files alone as they lie there.

        What has gone from the source at its newest revision is recorded on the way. Raises OrchestratorError.
        """
        if dirty:
            self._check_dirty()
        if dirty and self._working_tree:
            # Whatever HEAD holds, nobody asked about it.
            revision = self._working_tree.revision(self.source, self._sources.objects(self.source))
            tree = self.outside.sources.tree(self.source, revision.id)
            layout = self.outside.layouts.at(self.source, revision, tree)
            track = f"tree/{revision.short}"
            return Reading(source=self.source, revision=revision, tree=tree, layout=layout, track=track)
        return self.at(ref) if ref else read_source(self.outside, self.source)

    def last_good(self) -> Reading | None:
        """Read the source at the revision that could be read last, None where none ever could."""
        return last_good(self.outside, self.source)

    def _check_dirty(self) -> None:
        """Refuse to look at files that lie in no checkout, or that nobody has signed where a signature is asked for."""
        if self.source.kind is SourceKind.GIT and self._working_tree is None:
            raise UsageError(
                f"source {self.source.id} is read without a checkout: it has no files that are not committed",
                code="HF-1921",
                hint="leave out --dirty, or run the command in a checkout without --source",
            )
        if self.source.verify is Verify.SIGNED:
            raise RevisionRejected(
                f"source {self.source.id} asks for signed commits, and files that are not committed bear no signature",
                code="HF-3016",
                hint="commit and sign them, then plan without --dirty",
            )

    def take_over(self, reading: Reading) -> tuple[tuple[StackKey, StackKey], ...]:
        """Carry over what stacks left that the reading has under a new name; returns each old and new name."""
        return follow_renames(self.outside, reading, NO_RUN)

    def at(self, name: str) -> Reading:
        """Read the source at a revision, in any words that git has for it in the checkout: ``HEAD~1``, a tag, an id."""
        commit = self._working_tree.commit(name) if self._working_tree else ""
        return read_at(self.outside, self.source, commit or name)

    @property
    def dirty(self) -> bool:
        """Whether files lie there that are in no commit."""
        return self._working_tree is not None and self._working_tree.is_dirty()


@contextmanager
def open_world(
    where: Whereabouts, operator: Operator, tell: Callable[[str], None] = to_nobody, *, key: bytes = b""
) -> Iterator[World]:
    """Open the world that `Whereabouts` found on the host of ``operator``.

    ``tell`` is told of what takes long to read; ``key`` is what the record's own must be, empty for what it is.
    Raises OrchestratorError.
    """
    source = where.source
    Lineage(home=where.home, source=source.id, marks=where.marks).check(source.location)
    with open_host(where.home, operator, dict(where.outer), actor=where.email(), tell=tell, key=key) as host:
        outside = host.outside(source.id, where.marks)
        host.sweep()
        yield World(
            outside=outside,
            source=source,
            home=where.home,
            actor=host.actor,
            operator=operator,
            secrets=host.secrets,
            record=host.record,
            cipher=host.cipher,
            rotation=host.rotation,
            _sources=host.sources,
            _working_tree=where.checkout,
        )
