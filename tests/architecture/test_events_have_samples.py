"""Every event of the union has a sample, which survives the journal's JSON unchanged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest
from pydantic import BaseModel

from tests.samples_of_events import SAMPLES
from warden_desktop.domain.events import EVENT, EVENT_TYPES, TriageEvent


def kind_of(event_type: type[BaseModel]) -> str:
    return str(event_type.model_fields["kind"].default)


def without_sample(event_types: Iterable[type[BaseModel]], samples: Iterable[BaseModel]) -> set[str]:
    return {kind_of(event_type) for event_type in event_types} ^ {kind_of(type(sample)) for sample in samples}


def test_every_event_has_a_sample() -> None:
    assert without_sample(EVENT_TYPES, SAMPLES) == set()


def test_an_event_without_a_sample_is_found() -> None:
    first, *others = EVENT_TYPES
    assert without_sample(EVENT_TYPES, (s for s in SAMPLES if not isinstance(s, first))) == {kind_of(first)}
    assert without_sample(others, SAMPLES) == {kind_of(first)}


def test_the_list_of_events_is_the_union() -> None:
    described = EVENT.json_schema()["discriminator"]["mapping"]
    assert set(described) == {kind_of(event_type) for event_type in EVENT_TYPES}


def test_no_two_events_share_a_kind() -> None:
    assert {kind: n for kind, n in Counter(map(kind_of, EVENT_TYPES)).items() if n > 1} == {}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.kind)
def test_a_sample_comes_back_from_json_as_it_was(sample: TriageEvent) -> None:
    again = EVENT.validate_json(EVENT.dump_json(sample))
    assert again == sample
    assert type(again) is type(sample)
