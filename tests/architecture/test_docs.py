"""The documents say what the code does: what they name exists, and what exists is named."""

import ast
import importlib
import re
import subprocess
import tomllib
from functools import cache

import pytest
from django.apps import apps
from django.core.management import get_commands, load_command_class

from accounts.models.people import CustomerRole
from billing_hierarchy.embedded.folders import project_folder
from billing_rules.pricing import InvalidTerms
from invoicing.queries.invariants import INVARIANTS
from tenancy.files.kinds import import_kinds

ROOT = project_folder()
RULES = ROOT / "docs/billing-rules.md"
COMMANDS = ROOT / "docs/commands.md"
FORMATS = ROOT / "docs/data-formats.md"
OUR_APPS = {
    "accounts", "billing_hierarchy", "dashboard", "invoicing", "notifications", "portal",
    "reports", "subscriptions", "tenancy", "web",
}  # fmt: skip
PACKAGES = "|".join([*sorted(OUR_APPS), "billing_rules"])
DOTTED = re.compile(rf"`((?:{PACKAGES})(?:\.\w+)+)`")
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
PATH = re.compile(
    rf"(?<![\w./])((?:{PACKAGES}|tests|docs|templates|static|scripts|typings)/[\w./-]*)"
)
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)

# Other sentences about the repository live in tests/architecture/test_repository.py: no document
# names a machine's folder or a package index.


def tracked(*patterns):
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, capture_output=True, check=True
    )
    return sorted(name for name in listed.stdout.decode().split("\0") if name)


def documents():
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def prose(path):
    """Return a document without its code blocks."""
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def parts(path, mark):
    """Return the parts of a document by their headings of one level."""
    pieces = re.split(rf"^{mark} (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def rules():
    return {
        title.split(" ", 1)[0]: re.split(r"^## ", text, flags=re.MULTILINE)[0]
        for title, text in parts(RULES, "###").items()
        if re.match(r"R\d+ ", title)
    }


@cache
def source(pattern):
    return "\n".join((ROOT / name).read_text(encoding="utf-8") for name in tracked(pattern))


def resolve(dotted):
    """Return what a dotted name stands for: a module, or something in it."""
    words = dotted.split(".")
    for length in range(len(words), 0, -1):
        try:
            found = importlib.import_module(".".join(words[:length]))
        except ModuleNotFoundError as error:
            if error.name is None or not dotted.startswith(error.name):
                raise
            continue
        for word in words[length:]:
            found = getattr(found, word)
        return found
    raise AttributeError(dotted)


@cache
def names_in(path):
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }


def anchors(path):
    """Return the addresses of a document's headings, made as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in plain}


def test_every_rule_is_there_in_order():
    numbers = [int(rule.removeprefix("R")) for rule in rules()]

    assert numbers == sorted({*numbers})
    assert numbers[:26] == [*range(1, 27)]


@pytest.mark.parametrize("number", [*rules()])
def test_a_rule_has_an_example_its_code_and_its_test(number):
    text = rules()[number]

    assert "**Example.**" in text
    assert re.search(r"^- Code: .*`", text, re.MULTILINE)
    assert re.search(r"^- Test: .*(`tests/|not written yet)", text, re.MULTILINE)


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_what_a_document_names_exists(path):
    text = prose(path)

    for dotted in sorted(set(DOTTED.findall(text))):
        resolve(dotted)
    for file, name in sorted(set(TEST.findall(text))):
        assert (ROOT / file).exists(), file
        assert not name or name in names_in(file), f"{file}::{name}"
    missing = {named for named in PATH.findall(text) if not (ROOT / named.rstrip(".")).exists()}
    assert missing == set()


def test_constraints_and_triggers_of_the_rules_exist():
    lines = re.findall(r"^- Database: (.+)$", RULES.read_text(encoding="utf-8"), re.MULTILINE)
    named = {name for line in lines for name in re.findall(r"`(\w+)`", line)}
    migrations = source("*/migrations/*.py")

    assert named
    assert {name for name in named if not re.search(rf"\b{name}\b", migrations)} == set()


def test_the_code_refers_to_rules_that_exist():
    words = re.findall(
        r"docs/billing-rules\.md,? +(?:rules? )?((?:R?\d+(?:, | to | and )?)+)", CODE
    )
    named = {number for text in words for number in re.findall(r"R\d+", text)}

    assert named
    assert named <= set(rules())


CODE = source("*.py")


def test_the_drawing_of_the_data_has_every_table():
    text = parts(ROOT / "docs/architecture.md", "##")["The data"]
    drawing, rest = text.split("```mermaid")[1].split("```", 1)
    beside = re.split(r"\n\n", rest.strip())[0]
    drawn = set(re.findall(r"^    (\w+) \S+ (\w+) :", drawing, re.MULTILINE))
    named = {name for pair in drawn for name in pair} | set(re.findall(r"`([A-Z]\w+)`", beside))
    models = {one.__name__ for one in apps.get_models() if one.__module__.split(".")[0] in OUR_APPS}

    assert named == models, "docs/architecture.md, The data: draw each table, or name it below"


def test_the_layers_are_those_of_the_contract():
    written = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").split("```")[3]
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    [layers] = [
        [re.findall(r"\w+", layer) for layer in one["layers"]]
        for one in contracts["tool"]["importlinter"]["contracts"]
        if "operations" in one["name"]
    ]

    assert [re.findall(r"\w+", layer) for layer in written.split("→")] == layers


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    broken = []
    for target in LINK.findall(prose(path)):
        if re.match(r"https?:", target):
            continue
        file, _, anchor = target.partition("#")
        found = path if not file else (path.parent / file)
        if not found.exists() or (anchor and anchor not in anchors(found)):
            broken.append(target)

    assert broken == []


def our_commands():
    return {name: app for name, app in get_commands().items() if app in OUR_APPS}


def test_every_command_is_described_and_every_described_one_exists():
    described = {title for title in parts(COMMANDS, "##") if re.fullmatch(r"[a-z_]+", title)}

    assert described == set(our_commands())


@pytest.mark.parametrize("name", sorted(our_commands()))
def test_every_option_of_a_command_is_described(name):
    text = parts(COMMANDS, "##")[name]
    parser = load_command_class(our_commands()[name], name).create_parser("manage.py", name)
    django = {
        "--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback",
        "--no-color", "--force-color", "--skip-checks",
    }  # fmt: skip
    options = {
        option
        for action in parser._actions
        for option in action.option_strings
        if option.startswith("--") and option not in django
    }

    assert {option for option in options if option not in text} == set()
    assert set(re.findall(r"--[a-z-]+", text.split("```")[1] if "```" in text else "")) == options


def test_the_readme_lists_every_command():
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert {name for name in our_commands() if f"`{name}" not in text} == set()


def test_the_readme_lists_every_variable():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = {
        name
        for cells in re.findall(r"^\| (`[A-Z][^|]*) \|", text, re.MULTILINE)
        for name in re.findall(r"`([A-Z_]+)`", cells)
    }
    read = set(
        re.findall(r"(?:environ(?:\.get\(|\[)|_truthy\(|_database\()\"([A-Z_]+)\"", CODE)
    ) - {"DJANGO_ALLOW_ASYNC_UNSAFE", "DJANGO_SETTINGS_MODULE", "PATH"}

    assert {name for name in read if not name.startswith("BILLING_EMBEDDED")} - listed == set()


def test_the_invariants_of_the_books_are_described():
    table = parts(COMMANDS, "##")["verify_books"]
    described = set(re.findall(r"^\| (\w+) \|", table, re.MULTILINE)) - {"Invariant"}

    assert described == {invariant.name for invariant in INVARIANTS} | {"I17"}


@pytest.mark.parametrize("kind", import_kinds())
def test_every_column_is_described(kind):
    columns = import_kinds()[kind].columns
    assert kind in parts(FORMATS, "##"), f"docs/data-formats.md: describe files of {kind}"
    rows = re.findall(r"^\| (`[^|]+) \|([^|]*)\|", parts(FORMATS, "##")[kind], re.MULTILINE)
    described = {
        column: note.strip() for names, note in rows for column in re.findall(r"`(\w+)`", names)
    }

    assert set(described) == {*columns.required, *columns.optional}, (
        f"docs/data-formats.md, part {kind}: a row for each column"
    )
    assert {name for name, note in described.items() if note == "required"} == {*columns.required}
    settings = {name for name, note in described.items() if note == "setting"}
    inherited = {column.name for column in columns.all if "nherited" in str(column.empty)}
    assert settings == inherited


def test_every_role_of_a_contact_is_described():
    text = parts(FORMATS, "##")["contacts"]

    assert {role for role in CustomerRole.values if f"`{role}`" not in text} == set()


def test_every_error_code_of_an_import_is_described():
    described = set(re.findall(r"`(\w+)`", parts(FORMATS, "##")["Error codes"]))
    readers = source("tenancy/files/*.py") + source("*/operations/importing*")
    found = {
        node.value
        for call in ast.walk(ast.parse(readers.replace("from __future__", "#")))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func).rpartition(".")[2]
        in {"refuse", "CellRefused", "FileRefused", "RecordsEnd", "add"}
        for node in call.args
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", node.value)
    }
    columns = {
        name
        for kind in import_kinds().values()
        for name in (*kind.columns.required, *kind.columns.optional)
    }
    terms = set(re.findall(r"[a-z]+(?:_[a-z]+)+", (InvalidTerms.__doc__ or "").split("Codes:")[1]))

    assert (found | terms) - columns - {"message"} - described == set()
