"""README.md's tables of speed, written from the results in ``benchmarks/results``.

    python -m benchmarks.readme    # after a run: pytest benchmarks --benchmark-json=FILE

What stands between the two marks is replaced; without results, it stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from fastload.bench.columns import best_of_each, facts, name_of, note_of, notes_of, run_facts
from fastload.bench.markdown import escaped, table
from fastload.bench.results import Document, Failure, Result, read_document
from fastload.measure.spread import spread

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
RESULTS = ROOT / "benchmarks" / "results"
BEGIN = "<!-- figures: written by python -m benchmarks.readme -->\n"
END = "<!-- end of the figures -->\n"
# What benchmarks.gpu writes there has a form of its own.
OTHERS = ("gpu.json",)
# The suites that are shown, and what is said of each.
SUITES = {"loader": "The very same photos", "resized loader": "The photos made smaller first"}
# Whose speed is divided by that of the others: peer and head of the column.
OURS = {"fastload_dct": "fastload's dct pack is", "fastload": "fastload's JPEG pack is"}


def results(folder: Path) -> list[Document]:
    """The documents of a folder, the newest last."""
    files = [file for file in sorted(folder.glob("*.json")) if file.name not in OTHERS]
    documents = [read_document(file) for file in files]
    return sorted((one for one in documents if not one.smoke), key=lambda one: one.time)


def section(documents: Sequence[Document]) -> str:
    """What README.md says of the newest document of each suite; "" where none has one."""
    newest = {
        suite: document
        for document in documents
        for suite, entrants in document.suites.items()
        if entrants
    }
    shown = {suite: newest[suite] for suite in SUITES if suite in newest}
    # Documents of one machine and one time are described once.
    sources = {document.file: document for document in shown.values()}
    parts = [_source(document) for document in sources.values()]
    parts += [_suite(suite, document) for suite, document in shown.items()]
    return "\n\n".join(parts) + "\n" if parts else ""


def _suite(suite: str, document: Document) -> str:
    entrants = document.suites[suite]
    failed = [failure for failure in document.failed if failure.suite == suite]
    said = [f"**{SUITES[suite]}**", *map(escaped, facts(entrants, document.photos))]
    parts = ["; ".join(said) + ".", _table(entrants), _closing(entrants), _failures(failed)]
    return "\n\n".join(filter(None, parts))


def _table(entrants: Sequence[Result]) -> str:
    """A row an entrant at its best number of threads or workers, the fastest first."""
    best = best_of_each([one for one in entrants if not one.ceiling])
    ours = {peer: [one for one in best if one.peer == peer] for peer in OURS}
    columns = [peer for peer in OURS if ours[peer]]
    rows = []
    for one in best:
        name = escaped(f"{name_of(one)} ({note_of(one, entrants)})")
        times = [
            "" if one.ours else f"{ours[peer][0].rate / one.rate:.1f} times as fast"
            for peer in columns
        ]
        rows.append([name, escaped(spread(one.rates)), *times])
    heads = ["", "images/s, median (lowest-highest)", *(OURS[peer] for peer in columns)]
    return table(heads, [False, *[True] * (1 + len(columns))], rows)


def _closing(entrants: Sequence[Result]) -> str:
    """First batch and memory of the JPEG pack."""
    plain = next((one for one in entrants if one.peer == "fastload"), None)
    if plain is None or not plain.first_batch_seconds:
        return ""
    anonymous, pss = plain.peak_anonymous_bytes / 1e6, plain.peak_pss_bytes / 1e6
    return (
        f"The first batch from the JPEG pack is there {median(plain.first_batch_seconds):.2f} s "
        f"after construction; beyond torch, that loader takes {anonymous:.0f} MB, and {pss:.0f} MB "
        "with the pages of the pack's files."
    )


def _failures(failed: Sequence[Failure]) -> str:
    if not failed:
        return ""
    return f"Without figures: {'; '.join(escaped(f'{one.label}: {one.error}') for one in failed)}."


def _source(document: Document) -> str:
    """Where, when and of what the figures are."""
    said = "; ".join(escaped(fact) for fact in run_facts(document))
    return " ".join([f"{said}.", *map(escaped, notes_of(document))])


def updated(readme: str, figures: str) -> str:
    """The text with the figures between its marks; as it was where there are none.

    Raises:
        ValueError: it does not have each mark once.
    """
    if readme.count(BEGIN) != 1 or readme.count(END) != 1:
        raise ValueError(f"README.md needs the lines {BEGIN.strip()!r} and {END.strip()!r} once.")
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{figures}{END}{after}" if figures else readme


def main() -> None:
    """Write README.md anew."""
    README.write_text(updated(README.read_text(), section(results(RESULTS))))


if __name__ == "__main__":
    main()
