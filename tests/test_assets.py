from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from warden_desktop import assets

CHECKOUT = Path(__file__).resolve().parents[1]


def test_a_checkout_uses_the_resources_beside_the_package() -> None:
    assert assets.resource_root() == CHECKOUT / "resources"


def test_a_wheel_uses_the_resources_inside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = _package(tmp_path / "site-packages")
    (installed / "_resources" / "sources").mkdir(parents=True)
    (installed / "_resources" / "sources" / "generic.yaml").write_text("name: generic\n", encoding="utf-8")
    monkeypatch.setattr(assets, "_PACKAGE", installed)
    assert assets.resource("sources", "generic.yaml").read_text(encoding="utf-8") == "name: generic\n"


def test_a_bundle_uses_the_resources_it_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "resources").mkdir()
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert assets.resource_root() == tmp_path / "resources"


def test_an_installation_without_resources_says_where_it_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = _package(tmp_path)
    monkeypatch.setattr(assets, "_PACKAGE", installed)
    with pytest.raises(assets.ResourcesMissing, match="Install it again") as error:
        assets.resource_root()
    assert str(installed / "_resources") in str(error.value)


def test_a_stranger_s_resources_in_site_packages_are_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "_PACKAGE", _package(tmp_path))
    (tmp_path / "resources").mkdir()
    with pytest.raises(assets.ResourcesMissing):
        assets.resource_root()


def test_a_missing_resource_is_named() -> None:
    with pytest.raises(assets.ResourcesMissing, match=r"no-such-vendor\.yaml"):
        assets.resource("sources", "no-such-vendor.yaml")


def test_a_resource_outside_the_root_is_refused() -> None:
    with pytest.raises(ValueError, match="not below"):
        assets.resource("..", "pyproject.toml")


def test_the_wheel_carries_every_resource(tmp_path: Path) -> None:
    build = "import sys, hatchling.build; hatchling.build.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(tmp_path)], cwd=CHECKOUT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("warden_desktop-*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    root = CHECKOUT / "resources"
    resources = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert {f"warden_desktop/_resources/{name}" for name in resources} <= packed
    assert "warden_desktop/py.typed" in packed


def _package(parent: Path) -> Path:
    package = parent / "warden_desktop"
    package.mkdir(parents=True)
    return package
