"""Which tests there are, which of them are run, and what became of them: for scripts that hold a page
of docs against the tests it names.
"""
import json
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
START = re.compile(r"START_TEST\((\w+)\)")
RESULT = re.compile(r"^(ok|not ok) \d+ - [^:\n]*:[^:\n]*:(\w+):", re.MULTILINE)  # Check's TAP


def binaries(ctest, build):
    """What ctest runs: {"unit.http.test_form": the path of its program, …}."""
    listed = subprocess.run([ctest, "--test-dir", build, "--show-only=json-v1"], check=True,
                            capture_output=True, text=True).stdout
    return {test["name"]: pathlib.Path(test["command"][0]) for test in json.loads(listed)["tests"]
            if "command" in test
            and not any(p["name"] == "DISABLED" and p["value"] for p in test["properties"])}


def results(binary, tap):
    """What became of each test of a program since it was built: {"form__is_…": True, …}."""
    if not tap.exists() or not binary.exists() or tap.stat().st_mtime < binary.stat().st_mtime:
        return {}
    passed = {}
    for word, name in RESULT.findall(tap.read_text(errors="replace")):
        passed[name] = passed.get(name, True) and word == "ok"
    return passed


def programs(ctest, build, taps):
    """Tests by program, as ctest names it, each with whether it passed, or None where that is not
    known: {"unit.http.test_form": {"form__is_…": True, …}}."""
    found, run = {}, binaries(ctest, build)
    for path in sorted((ROOT / "tests").rglob("test_*.c")):
        program = ".".join(path.relative_to(ROOT / "tests").with_suffix("").parts)
        if program in run:
            text = path.read_text()
            passed = results(run[program], taps / f"{program}.tap")
            # A test that is written and in no list is not run.
            found[program] = {name: passed.get(name) for name in START.findall(text)
                              if len(re.findall(rf"\b{name}\b", text)) > 1}
    return found


def written():
    """Tests by program as the sources have them: {"unit.http.test_form": {"form__is_…", …}, …}."""
    found = {}
    for path in sorted((ROOT / "tests").rglob("test_*.c")):
        program = ".".join(path.relative_to(ROOT / "tests").with_suffix("").parts)
        found[program] = set(START.findall(path.read_text()))
    return found


def wrong(text, tests):
    """What is wrong with `text` as the name of a test among `tests`, those of programs(), or None."""
    program, _, name = text.partition(" ")
    if name not in tests.get(program, ()):
        return f"no test that is run is called {text}"
    if tests[program][name] is False:
        return f"{text} has failed"
    if tests[program][name] is None and os.environ.get("URLPOOL_REQUIRE_PEERS") == "1":
        return f"{text} was not run since it was built"
    return None
