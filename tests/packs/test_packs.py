"""What somebody who writes a pack is told when it is wrong, and which pack wins."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field

from warden_desktop.adapters.packs import MAX_BYTES, PackError, load_pack, load_packs, parse_pack
from warden_desktop.domain.record import Record


class Inner(Record):
    title: str
    weight: float = 0.0


class Example(Record):
    name: str
    map: Inner
    words: tuple[str, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)


GOOD = "name: wazuh\nmap:\n  title: rule.description\n"


def written(tmp_path: Path, text: str, name: str = "wazuh.yaml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def error_of(tmp_path: Path, text: str) -> PackError:
    with pytest.raises(PackError) as caught:
        load_pack(written(tmp_path, text), Example)
    return caught.value


def test_a_good_pack_is_the_model_it_says(tmp_path: Path) -> None:
    assert load_pack(written(tmp_path, GOOD), Example) == Example(name="wazuh", map=Inner(title="rule.description"))


def test_a_wrong_value_is_named_with_file_line_and_field(tmp_path: Path) -> None:
    error = error_of(tmp_path, "name: wazuh\nmap:\n  weight: 1.5\n  title: [1]\n")
    assert str(error).startswith("wazuh.yaml:4: map.title: ")
    assert (error.line, error.field, error.path.name) == (4, "map.title", "wazuh.yaml")


def test_a_missing_field_is_reported_at_the_block_that_lacks_it(tmp_path: Path) -> None:
    assert str(error_of(tmp_path, "name: wazuh\n\nmap:\n  weight: 1\n")) == "wazuh.yaml:3: map.title: Field required"


def test_a_misspelt_field_is_reported_where_it_stands(tmp_path: Path) -> None:
    error = error_of(tmp_path, GOOD + "  titel: x\n")
    assert str(error) == "wazuh.yaml:4: map.titel: Extra inputs are not permitted"


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    lines = str(error_of(tmp_path, "name: 5\nmap:\n  weight: heavy\n")).splitlines()
    assert [line.split(": ")[1] for line in lines] == ["name", "map.title", "map.weight"]


def test_an_element_of_a_list_has_its_own_line(tmp_path: Path) -> None:
    assert error_of(tmp_path, GOOD + "words:\n  - one\n  - {}\n").line == 6


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        (GOOD + "name: again\n", 4, "'name' is there twice"),
        (GOOD + "  title: again\n", 4, "'title' is there twice"),
        ("name: &a wazuh\nmap:\n  title: *a\n", 1, "anchors"),
        ("name: wazuh\nmap: {title: [}\n", 2, ""),
        ("name: wazuh\n\tmap: 1\n", 2, ""),
        ("name: wazuh\n? [a]\n: b\n", 2, "a key must be plain"),
        ("name: !!python/object/apply:os.system [id]\n", 1, "could not determine a constructor"),
        ("[" * 60 + "]" * 60, 1, "nested deeper"),
        ("[" * 100_000, 1, "nested deeper"),
        ("a: 1\n--- \nb: 2\n", 2, "another document"),
    ],
)
def test_yaml_that_is_wrong_or_hostile_is_refused_with_its_line(
    tmp_path: Path, text: str, line: int, word: str
) -> None:
    error = error_of(tmp_path, text)
    assert error.line == line
    assert word in str(error)


def test_words_that_yaml_1_1_would_guess_at_stay_text(tmp_path: Path) -> None:
    text = GOOD + "words: [yes, no, on, 2026-11-20, 22:41, 0o17, 1_000, .inf]\nlabels: {on: off}\n"
    pack = load_pack(written(tmp_path, text), Example)
    assert pack.words == ("yes", "no", "on", "2026-11-20", "22:41", "0o17", "1_000", ".inf")
    assert pack.labels == {"on": "off"}


def test_an_empty_file_is_not_a_pack(tmp_path: Path) -> None:
    assert "wazuh.yaml:1: " in str(error_of(tmp_path, ""))


def test_bytes_that_are_not_text_are_refused_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "wazuh.yaml"
    path.write_bytes(b"name: wazuh\nmap: \xff\n")
    with pytest.raises(PackError, match=r"wazuh\.yaml:2: is not UTF-8 text"):
        load_pack(path, Example)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    assert "larger than" in str(error_of(tmp_path, GOOD + "#" * MAX_BYTES))


def test_a_file_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"gone\.yaml: is not a file"):
        load_pack(tmp_path / "gone.yaml", Example)


def test_a_pack_of_the_users_replaces_the_bundled_one_of_its_name(tmp_path: Path) -> None:
    bundled, own = tmp_path / "bundled", tmp_path / "own"
    bundled.mkdir()
    own.mkdir()
    written(bundled, GOOD)
    written(bundled, GOOD.replace("wazuh", "falco"), "falco.yaml")
    written(own, GOOD.replace("rule.description", "mine"))
    packs = load_packs(bundled, own, Example)
    assert {name: pack.map.title for name, pack in packs.items()} == {"falco": "rule.description", "wazuh": "mine"}


def test_directories_that_do_not_exist_hold_no_packs(tmp_path: Path) -> None:
    assert load_packs(tmp_path / "none", None, Example) == {}


def test_a_pack_whose_name_is_not_its_files_is_refused(tmp_path: Path) -> None:
    written(tmp_path, GOOD, "other.yaml")
    with pytest.raises(PackError, match=r"other\.yaml: name: is 'wazuh', but must be the file's: 'other'"):
        load_packs(tmp_path, None, Example)


def test_a_pack_with_the_wrong_ending_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    written(tmp_path, GOOD, "wazuh.yml")
    with pytest.raises(PackError, match="rename it"):
        load_packs(tmp_path, None, Example)


def test_text_being_edited_is_checked_the_same_way() -> None:
    with pytest.raises(PackError, match=r"draft\.yaml:2: map: "):
        parse_pack("name: draft\nmap: 5\n", Example, Path("draft.yaml"))
