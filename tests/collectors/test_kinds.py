"""The tables of kinds."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from collectors import kinds
from collectors.discovery import NodeEntry
from collectors.kinds import CACHES, GROUP, ORIGINS, KindError, load_kinds
from settings import Section
from stalewatch.config.reference import descriptions

DOCS = Path(__file__).parents[2] / "docs" / "collectors"


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, GROUP)


def test_third_parties_add_kinds_and_take_none() -> None:
    caches, origins = load_kinds([])
    assert (caches, origins) == (CACHES, ORIGINS)
    with pytest.raises(KindError, match="neither"):
        load_kinds([point("x", "collectors.kinds:GROUP")])
    with pytest.raises(KindError, match="cannot be imported"):
        load_kinds([point("x", "nowhere.at_all:KIND")])
    kinds_of_others = "tests.collectors.test_kinds:CACHE"
    caches, _ = load_kinds([point("mine", kinds_of_others)])
    assert caches["mine"] is CACHES["redis"]
    with pytest.raises(KindError, match="there already"):
        load_kinds([point("redis", kinds_of_others)])


CACHE = CACHES["redis"]


@pytest.mark.parametrize("table", ["CACHES", "ORIGINS"])
def test_every_kind_declares_its_settings_as_sections_with_documented_fields(table: str) -> None:
    for name, kind in getattr(kinds, table).items():
        for model in (kind.options, kind.binding):
            assert issubclass(model, Section), name
            undocumented = [name for name, said in descriptions(model).items() if not said]
            assert not undocumented, (name, model, undocumented)


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        *((f"{name}.md", kind) for name, kind in CACHES.items()),
        *((f"origin-{name}.md", kind) for name, kind in ORIGINS.items()),
    ],
)
def test_every_kind_has_a_page_that_names_every_setting(page: str, kind: object) -> None:
    text = (DOCS / page).read_text()
    for model in (kind.options, kind.binding):  # type: ignore[attr-defined]
        for name, info in model.model_fields.items():
            assert f"`{info.alias or name}`" in text, (page, name)


@pytest.mark.parametrize("name", [*CACHES, *(f"origin-{name}" for name in ORIGINS)])
def test_the_example_of_every_page_is_valid(name: str) -> None:
    text = (DOCS / f"{name}.md").read_text().partition("```yaml\n")[2].partition("```")[0]
    example = YAML(typ="safe", pure=True).load(text)
    (keyspace,) = example["keyspaces"].values()
    if name in CACHES:
        kind: object = CACHES[name]
        ((layer, options),) = example["layers"].items()
        for entry in options.pop("nodes"):
            NodeEntry.model_validate(entry)
        binding = keyspace["layers"][layer]
    else:
        kind = ORIGINS[name.removeprefix("origin-")]
        ((origin, options),) = example["origins"].items()
        binding = keyspace["origin"]
        assert binding.pop("name") == origin
    options.pop("kind")
    kind.options.model_validate(options)  # type: ignore[attr-defined]
    kind.binding.model_validate(binding)  # type: ignore[attr-defined]
