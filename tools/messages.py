"""Collects the messages of templates and sources into `locale/*/LC_MESSAGES/messages.po`.

`python tools/messages.py` adds new messages, drops those that nothing says any more and keeps what
is translated; English is its own translation, and names are words there. `--check` changes nothing
and exits with 1 when a message is missing, fuzzy or no longer said. Sources mark messages by `_`,
`N_`, `gettext`, by the first text of an error of `app/errors.py`, and by constants that are named
`…_REASON`. Only what a reader of pages or of the API may see is collected: the command line speaks
English. What an error calls a field, a parameter or a kind is collected by itself, in a context of
its own: each argument of the schema has a word in each language.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po
from graphql import (
    EnumTypeDefinitionNode,
    EnumValueDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    ObjectTypeDefinitionNode,
    parse,
)

from app.translations import FIELD, KIND

ROOT: Final = Path(__file__).resolve().parent.parent
LOCALES: Final = ("ko", "en")
FOLDERS: Final = ("adapters", "db", "domain", "graphql", "services", "web")
TITLES: Final = ("The sample", "The price folder")
"""Names that errors carry as their value `title`."""

KINDS: Final = frozenset({"AlertKind", "CorporateAction", "TransactionKind"})
"""Enums of the schema whose words errors carry as `kind` or `action`."""

OF_PAGES: Final = (
    *("act", "bars", "colors", "compare", "mas", "net", "order", "panes", "q", "range", "rows"),
    *("scale", "transactions"),
)
"""Fields of addresses, forms and files that the schema does not have."""

PARAMETERS: Final = frozenset({"Parameter", "_bars"})
"""What makes a parameter of a strategy of its name."""

MARKS: Final = frozenset({"_", "N_", "gettext"})
ERRORS: Final = frozenset(
    {
        "AppError",
        "BadInput",
        "Conflict",
        "Forbidden",
        "Gone",
        "NotFound",
        "RateLimited",
        "Refused",
        "SecondFactorNeeded",
        "TooCostly",
        "Unauthenticated",
        "Unavailable",
    }
)


def collect() -> Catalog:
    """All messages that the product can say, without translations."""
    catalogue = Catalog(project="Sise", charset="utf-8")
    templates = ROOT / "templates"
    for file, _, message, comments, _ in extract_from_dir(
        str(templates), [("**.html", "jinja2")], {"**.html": {"silent": "false"}}
    ):
        catalogue.add(message, locations=[(f"templates/{file}", 0)], auto_comments=comments)
    trees = read_sources()
    for tree in trees:
        for name, text in _constants(tree.body):
            if name.endswith("_REASON"):
                catalogue.add(text)
    for _, text in find_said(trees):
        catalogue.add(text)
    for title in TITLES:
        catalogue.add(title)
    for context, names in find_names(trees).items():
        for name in sorted(names):
            catalogue.add(name, context=context)
    return catalogue


def read_sources() -> list[ast.Module]:
    """The modules that say something to a reader."""
    files = [p for folder in FOLDERS for p in sorted((ROOT / "app" / folder).rglob("*.py"))]
    return [ast.parse(path.read_bytes()) for path in files]


def find_said(trees: Iterable[ast.Module]) -> Iterator[tuple[ast.Call, str]]:
    """The calls by which a module says something, each with the message."""
    trees = list(trees)
    constants = _by_name(pair for tree in trees for pair in _constants(tree.body))
    for tree in trees:
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
                known = constants | _by_name(_constants(_statements(function)))
                yield from (
                    (call, text) for call in _calls(function) for text in _said(call, known)
                )


def find_names(trees: Iterable[ast.Module]) -> dict[str, set[str]]:
    """What errors may name, by context: arguments and parameters, and kinds."""
    fields, kinds = set(OF_PAGES), set()
    for node in parse((ROOT / "schema.graphql").read_text(encoding="utf-8")).definitions:
        if isinstance(node, InputObjectTypeDefinitionNode):
            fields |= _named(node.fields)
        elif isinstance(node, ObjectTypeDefinitionNode):
            fields.update(*(_named(field.arguments) for field in node.fields))
        elif isinstance(node, EnumTypeDefinitionNode) and node.name.value in KINDS:
            kinds |= _named(node.values)
    for tree in trees:
        for call in _calls(tree):
            if callee(call) in PARAMETERS and call.args and (name := _text(call.args[0])):
                fields.add(name)
    return {FIELD: fields, KIND: kinds}


def find_faults(locale: str, wanted: Catalog) -> list[str]:
    """What is wrong with one language's catalogue, one line each."""
    known = read_catalogue(locale)
    faults = [
        f"{locale}: missing {m.id!r}" for m in wanted if m.id and not known.get(m.id, m.context)
    ]
    for message in known:
        if not message.id:
            continue
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        if not all(texts):
            faults.append(f"{locale}: untranslated {message.id!r}")
        if message.fuzzy:
            faults.append(f"{locale}: fuzzy {message.id!r}")
        if wanted.get(message.id, message.context) is None:
            faults.append(f"{locale}: no longer said {message.id!r}")
    return faults


def read_catalogue(locale: str) -> Catalog:
    """One language's catalogue as it lies there."""
    with path_of(locale).open("rb") as file:
        return read_po(file, locale=locale)


def update(locale: str, wanted: Catalog) -> None:
    """Writes one language's catalogue anew, with the translations that there are."""
    catalogue = read_catalogue(locale)
    catalogue.update(wanted, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    if locale == "en":
        for message in catalogue:
            if message.id:
                message.string = in_words(message.id) if message.context else message.id
    out = BytesIO()
    write_po(out, catalogue, width=100, sort_output=True, no_location=True, omit_header=False)
    lines = [line for line in out.getvalue().splitlines() if not _is_noise(line)]
    path_of(locale).write_bytes(b"\n".join(lines) + b"\n")


def in_words(name: str) -> str:
    """What an argument or a kind is called in an English sentence: `volumeCap`, `PRICE_ABOVE`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).lower()


def path_of(locale: str) -> Path:
    """Where one language's catalogue lies."""
    return ROOT / "locale" / locale / "LC_MESSAGES" / "messages.po"


def _named(nodes: Iterable[InputValueDefinitionNode | EnumValueDefinitionNode] | None) -> set[str]:
    return {node.name.value for node in nodes or ()}


def _constants(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Names that are given a text, in these statements."""
    for node in body:
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        else:
            continue
        text = _text(node.value)
        for target in targets:
            if text is not None and isinstance(target, ast.Name):
                yield target.id, text


def _by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """A name may be given several texts, one in each branch."""
    texts: dict[str, list[str]] = {}
    for name, text in pairs:
        texts.setdefault(name, []).append(text)
    return texts


def _statements(function: ast.AST) -> list[ast.stmt]:
    return [node for node in ast.walk(function) if isinstance(node, ast.Assign | ast.AnnAssign)]


def _calls(scope: ast.AST) -> Iterator[ast.Call]:
    """The calls of a scope, without those of the functions in it."""
    for child in ast.iter_child_nodes(scope):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(child, ast.Call):
            yield child
        yield from _calls(child)


def _said(call: ast.Call, known: dict[str, list[str]]) -> Iterator[str]:
    name = callee(call)
    if name in MARKS or name in ERRORS:
        for argument in call.args:
            if isinstance(argument, ast.Name):
                yield from known.get(argument.id, [])
            elif text := _text(argument):
                yield text


def callee(call: ast.Call) -> str:
    """The name of what is called."""
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _text(node: ast.expr | None) -> str | None:
    """A text written out; an empty one says nothing."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value or None
    return None


def _is_noise(line: bytes) -> bool:
    """Dates and names in the head that would change with every run."""
    noise = (b'"POT-', b'"PO-', b'"Last-Tr', b'"Language-Team', b'"Generated', b'"Report')
    return line.startswith(noise) or line.startswith(b"# ")


def main() -> None:
    """Runs the command."""
    wanted = collect()
    if "--check" not in sys.argv:
        for locale in LOCALES:
            update(locale, wanted)
    faults = [fault for locale in LOCALES for fault in find_faults(locale, wanted)]
    print("\n".join(faults))  # noqa: T201
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
