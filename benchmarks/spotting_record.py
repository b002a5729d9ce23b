"""What the judges of spotting have measured, kept beside the weights, and its tables."""

import re
from collections.abc import Mapping
from typing import Any, Final

from mer.io import files
from mer.results import documents, methods
from mer.version import __version__
from mer.weights import provenance, store

MADE: Final = "python -m benchmarks spotting --save"
REAL: Final = "python -m benchmarks spotting --real DATA/real-videos --fps {}{}{} --save"


def save(part: str, figures: Mapping[str, Any]) -> None:
    """Keep one part of the figures, such as "real"; the other parts stay as they are."""
    known = methods.spotting_figures()
    made = {"figures": figures, "mer": __version__, "time": provenance.now()}
    files.write_json(store.FOLDER / methods.SPOTTING, {**known, part: made})


def real(figures: Mapping[str, Any]) -> str:
    """The tables of real recordings, as Markdown."""
    parts = [_sets(figures["sets"])]
    if figures["stability"]:
        rows = [(name, f"{value:.2f}") for name, value in figures["stability"].items()]
        head = "flashes, as they are and", "F1 between the events of both"
        parts.append(documents.markdown(head, rows))
    return "\n\n".join(parts)


def _sets(sets: Mapping[str, Any]) -> str:
    head = (
        *("set", "clips", "hits", "F1 at IoU .5", "micro", "onset, apex off by"),
        *("beside, a minute", "events in neutral clips", "speech"),
        *("UF1, onset and apex given", "as spotted"),
    )
    return documents.markdown(head, [_row(name, one) for name, one in sets.items()])


def _row(name: str, one: Mapping[str, Any]) -> list[str]:
    return [
        name,
        str(one["clips"]),
        f"{one['hit']} of {one['marked']} ({_range(one['hit_interval'])})",
        f"{_figure(one['f1'])} ({_range(one['f1_interval'])})",
        _figure(one["f1_micro"]),
        f"{_figure(one['onset_ms'], 0)}, {_figure(one['apex_ms'], 0)} ms",
        _figure(one["beside_a_minute"], 1),
        f"{one['neutral_events']} in {one['neutral']}" if one["neutral"] else "–",
        str(one["spoken"]),
        *(_named(one[which]) for which in ("named_given", "named_spotted")),
    ]


def _named(one: Mapping[str, Any]) -> str:
    if not one["clips"]:
        return "–"
    return f"{one['uf1']:.2f} ({_range(one['uf1_interval'])}), {one['clips']} clips"


def _figure(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _range(limits: list[float] | None) -> str:
    return f"{limits[0]:.2f} to {limits[1]:.2f}" if limits else "–"


def targets() -> str:
    """What version 0.1.0 did, what was to reach, and what is now, as Markdown."""
    known = methods.spotting_figures()
    measured = {part: known[part]["figures"] for part in ("real", "made") if part in known}
    head = "", "0.1.0", "to reach", "now", "command"
    rows = [*_real_targets(measured.get("real")), *_made_targets(measured.get("made"))]
    tables = [documents.markdown(head, rows)]
    if "real" in measured:
        tables.append(real(measured["real"]))
    return "\n\n".join(tables) + "\n"


def _real_targets(real: Mapping[str, Any] | None) -> list[tuple[str, ...]]:
    if not real:
        return []
    flashes = real["sets"]["flashes"]
    casme = next(one for name, one in real["sets"].items() if name.startswith("CASME"))
    hits = f"{casme['hit']} of {casme['marked']} / {_figure(casme['f1_micro'])}"
    spoken = sum(one["spoken"] for one in real["sets"].values())
    clips = sum(one["clips"] for one in real["sets"].values())
    kept = min(real["stability"].values(), default=None)
    quiet = f"{flashes['neutral_events']} in {flashes['neutral']}"
    met = f"{flashes['hit']} of {flashes['marked']}"
    rows = [
        ("flashes with an event within the mark", "130 of 283 (any event)", "80 %", met),
        ("events in neutral flashes", "7 in 36 clips", "2 in 36", quiet),
        ("CASME II between stills, hits / F1 (micro)", "35 of 49 / –", "85 % / .70", hits),
        ("speech called in silent clips", "12 of 283", "2", f"{spoken} of {clips}"),
        ("stability, the least over size, quality, rate", "–", ".85", _figure(kept)),
        ("UF1 on CASME II, onset and apex given / spotted", ".78 / –", ".88 / .70", _names(casme)),
        ("the same on the flashes", "–", "–", _names(flashes)),
        ("F1 at IoU .5 on real clips", ".39, .18", ".60", _figure(flashes["f1"])),
    ]
    rates = " ".join(re.findall(r"(\S+) fps", " ".join(real["sets"])))
    every = f" --every {real['every']}" if real["every"] > 1 else ""
    command = REAL.format(rates, every, " --stable" if real["stability"] else "")
    return [(*row, f"`{command}`") for row in rows]


def _names(figures: Mapping[str, Any]) -> str:
    both = figures["named_given"], figures["named_spotted"]
    return " / ".join(f"{_figure(one.get('uf1'))} ({one['clips']} clips)" for one in both)


def _made_targets(made: Mapping[str, Any] | None) -> list[tuple[str, ...]]:
    if not made:
        return []
    two = " / ".join(_figure(made["f1_2px"].get(rate)) for rate in ("60", "30"))
    said = f"{made['talk_events']:.1f}; {made['talk_called']:.0%} (made)"
    talk = said, f"`{MADE}`"
    return [
        ("made clips, 2 px at 60 and 30 frames a second", ".97 / .97", ".90", two, f"`{MADE}`"),
        ("talk: events a minute; called speech", "16; 3 % (television)", "4; 60 %", *talk),
    ]
