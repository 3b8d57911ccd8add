"""What a replay led to, read from the directory it left behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from warden_desktop.adapters.data_directory import DataDirectory
from warden_desktop.adapters.journal import open_reader
from warden_desktop.adapters.replay import Replay
from warden_desktop.commands.output import print_json, printable
from warden_desktop.commands.recorded import RecordedIncidents
from warden_desktop.domain.events import ActionsProposed

PAGE = 1_000
NO_VERDICT = "none"


class Report(NamedTuple):
    """`verdicts` counts incidents, `proposals` actions by verb, `refused` deliveries by reason."""

    complete: bool
    seconds: float
    deliveries: int
    alerts: int
    incidents: int
    verdicts: Mapping[str, int]
    proposals: Mapping[str, int]
    refused: Mapping[str, int]
    data_dir: str

    def show(self, *, as_json: bool) -> None:
        """Print it."""
        if as_json:
            print_json([self._asdict()])
            return
        if not self.complete:
            print("interrupted; until then:")
        print(f"{self.deliveries:,} deliveries, {self.alerts:,} alerts, {self.seconds:.1f} s")
        _print_counts(f"{self.incidents:,} incidents, by verdict", self.verdicts)
        _print_counts(f"{sum(self.proposals.values()):,} actions proposed, none carried out", self.proposals)
        _print_counts("deliveries that could not be read", self.refused)
        print(printable(f"look at them: warden-desktop incidents --data-dir {self.data_dir}"))


def _print_counts(title: str, counts: Mapping[str, int]) -> None:
    if counts:
        print(f"{title}:")
    for name, number in counts.items():
        print(printable(f"  {number:>7,}  {name.replace('_', ' ')}"))


def report_of(scratch: DataDirectory, replay: Replay, *, complete: bool, seconds: float) -> Report:
    """Count what is in `scratch`."""
    with RecordedIncidents(scratch.root) as recorded:
        verdicts = Counter(row.verdict.value if row.verdict else NO_VERDICT for row in recorded.rows())
    return Report(
        complete=complete,
        seconds=round(seconds, 3),
        deliveries=replay.deliveries,
        alerts=replay.alerts,
        incidents=verdicts.total(),
        verdicts=dict(verdicts.most_common()),
        proposals=dict(_proposals(scratch).most_common()),
        refused=dict(replay.refused.most_common()),
        data_dir=str(scratch.root),
    )


def _proposals(scratch: DataDirectory) -> Counter[str]:
    counted: Counter[str] = Counter()
    with open_reader(scratch.database) as reader:
        after = 0
        while page := reader.read(after, PAGE, kinds=("actions_proposed",)):
            for _, event in page:
                if isinstance(event, ActionsProposed):
                    counted.update(action.verb.value for action in event.actions)
            after = page[-1].seq
    return counted
