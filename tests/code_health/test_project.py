"""Lines the whole project keeps, read off its own files. Every test fails when it finds nothing to look at."""

import ast
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PURE = ("rules", "statemachines")
PRODUCT = (*PURE, "service")
MAX_LINES_OF_CODE = 600
NOT_INSTALLED = "not installed"
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

# A letter in brackets keeps these patterns from finding themselves.
INDEX_ADDRESS = re.compile(
    r"https?://\S*py[p]i|python[h]osted|--(extra-)?[i]ndex-url|--[f]ind-links|[t]rusted-host|^\s*[i]ndex-url", re.M
)
PRIVATE_FOLDER = re.compile(r"(?<![\w.])/[w]ork/|\.\./[s]hared\b|(?<!\w)\.[l]ibrary\b")


def committed_files() -> list[Path]:
    """Every file git holds or would take in; skips where there is no git or no repository."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("needs the git repository")
    command = [git, "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    files = [ROOT / name for name in names if name and (ROOT / name).is_file()]
    assert files
    return files


def modules(*packages: str) -> list[Path]:
    """The Python files of these folders, tests among them; never an empty list."""
    files = []
    for package in packages:
        found = sorted((ROOT / package).rglob("*.py"))
        assert found, f"{package}/ holds no Python file"
        files += found
    return files


def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def place(path: Path, line: int) -> str:
    """Where a finding is, as editors open it."""
    return f"{path.relative_to(ROOT)}:{line}"


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """The full names a file imports, with their lines; `from a import b` gives a.b."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((f"{base}.{alias.name}", node.lineno) for alias in node.names)


def matches(pattern: re.Pattern[str]) -> list[str]:
    """Where the pattern stands in committed files."""
    found = []
    for path in committed_files():
        text = path.read_text(encoding="utf-8", errors="ignore")
        found += [f"{place(path, text.count(chr(10), 0, m.start()) + 1)} {m[0]}" for m in pattern.finditer(text)]
    return found


def test_no_committed_file_names_a_package_index() -> None:
    assert matches(INDEX_ADDRESS) == []


def test_no_committed_file_names_a_private_folder() -> None:
    assert matches(PRIVATE_FOLDER) == []


def test_only_one_module_imports_durable() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in modules(*PRODUCT)
        for name, _ in imported(path)
        if name.split(".")[0] in ("durable", "durable_rules_engine")
    }
    assert found == {"rules/engines/durable.py"}


def test_rules_and_statecharts_never_read_the_clock() -> None:
    found = [
        f"{place(path, node.lineno)} .{node.attr}"
        for path in modules(*PURE)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in ("today", "now", "utcnow")
    ]
    assert found == []


def test_rules_and_statecharts_never_print() -> None:
    found = [
        place(path, node.lineno)
        for path in modules(*PURE)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert found == []


def helper_files(name: str) -> list[Path]:
    """The files in tests/ that importing this name runs, packages' own ones included."""
    parts = name.split(".") if name.split(".")[0] == "tests" else []
    bases = [ROOT.joinpath(*parts[:end]) for end in range(1, len(parts) + 1)]
    return [file for base in bases for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()]


def test_the_oracle_shares_no_code_with_the_product() -> None:
    """Neither itself nor through the helpers in tests/ that it imports."""
    waiting, seen, found = modules("tests/oracle"), set(), []
    while waiting:
        path = waiting.pop()
        seen.add(path)
        for name, line in imported(path):
            if name.split(".")[0] in PRODUCT:
                found.append(f"{place(path, line)} {name}")
            waiting += [file for file in helper_files(name) if file not in seen]
    assert found == []


def public_definitions(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, Definition]]:
    """Public functions and classes, and public methods of public classes, with their dotted names."""
    for node in body:
        if not isinstance(node, Definition) or node.name.startswith("_"):
            continue
        # An overriding method says what the one it overrides says; a setter what its property says.
        marks = {ast.unparse(mark).split("(")[0].split(".")[-1] for mark in node.decorator_list}
        if marks & {"overload", "override", "setter"}:
            continue
        yield prefix + node.name, node
        if isinstance(node, ast.ClassDef):
            yield from public_definitions(node.body, f"{prefix}{node.name}.")


def test_public_things_have_docstrings() -> None:
    found = []
    for path in modules(*PRODUCT):
        if path.name.startswith("_") and path.name != "__init__.py":
            continue
        module = tree(path)
        if module.body and not ast.get_docstring(module):
            found.append(place(path, 1))
        found += [
            f"{place(path, node.lineno)} {name}"
            for name, node in public_definitions(module.body)
            if not ast.get_docstring(node)
        ]
    assert found == []


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    found = {}
    for path in modules(*PRODUCT):
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        count = sum(1 for line in lines if line and not line.startswith("#"))
        if count > MAX_LINES_OF_CODE:
            found[str(path.relative_to(ROOT))] = count
    assert found == {}


def make_targets() -> set[str]:
    """The commands of the Makefile."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):(?!=)", text, re.M))


def test_the_readme_names_the_commands_that_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", readme, re.S))
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", code))
    assert named >= {"run", "test"}
    assert named - make_targets() == set()


def test_continuous_integration_runs_check_and_test() -> None:
    run = ROOT / ".ci" / "run"
    commands = [line for line in run.read_text(encoding="utf-8").splitlines() if line.startswith("make ")]
    assert commands == ["make check", "make test"]
    assert {"check", "test"} <= make_targets()
    assert run.stat().st_mode & 0o111, "git must keep it executable"


def pins() -> dict[str, str]:
    """Package name to version, as constraints.txt pins them."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {}
    for line in lines:
        if line and not line.startswith("#"):
            match = re.fullmatch(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.+!]+)", line)
            assert match, f"not a plain pin: {line}"
            pinned[canonicalize_name(match[1])] = match[2]
    return pinned


def declared() -> dict[str, list[Requirement]]:
    """What Polku needs, by pyproject.toml's sets: "" for all it cannot run without, else the extra's name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    sets = {"": project["dependencies"], **project["optional-dependencies"]}
    assert all(sets.values())
    return {name: [Requirement(line) for line in needs] for name, needs in sets.items()}


def off_their_pins(needs: list[Requirement]) -> dict[str, str]:
    """The packages that are not installed at their pin, those they pull in included, with what was found instead."""
    pinned, waiting = pins(), list(needs)
    seen: dict[str, str] = {}
    while waiting:
        name = canonicalize_name(waiting.pop().name)
        if name in seen:
            continue
        seen[name] = installed(name)
        below = [Requirement(line) for line in requires(name) or []] if seen[name] != NOT_INSTALLED else []
        waiting += [need for need in below if need.marker is None or need.marker.evaluate({"extra": ""})]
    return {name: found for name, found in seen.items() if pinned.get(name) != found}


def installed(name: str) -> str:
    """A package's version, or that it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return NOT_INSTALLED


def test_every_package_used_is_pinned_and_installed_at_its_pin() -> None:
    needs = declared()
    assert off_their_pins(needs[""] + needs["dev"]) == {}


@pytest.mark.parametrize("extra", sorted(declared().keys() - {"", "dev"}))
def test_an_extra_is_pinned_and_where_it_is_installed_whole_and_at_its_pins(extra: str) -> None:
    needs = declared()[extra]
    assert {need.name for need in needs if canonicalize_name(need.name) not in pins()} == set()
    if all(installed(need.name) == NOT_INSTALLED for need in needs):
        pytest.skip(f"the extra packages for {extra} are not installed: what they pull in was not looked at")
    assert off_their_pins(needs) == {}


def test_every_pin_takes_the_oldest_python_that_polku_takes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    oldest = min(need.version for need in SpecifierSet(project["requires-python"]) if need.operator == ">=") + ".0"
    here = [name for name in pins() if installed(name) != NOT_INSTALLED]
    assert len(here) > 50
    needs = {name: metadata(name)["Requires-Python"] or "" for name in here}
    assert {name: need for name, need in needs.items() if oldest not in SpecifierSet(need)} == {}
