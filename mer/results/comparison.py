"""The networks side by side, from their records: tables, leaderboard and sentences."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, Final

import numpy as np
import pandas as pd

from mer.errors import WeightsError
from mer.evaluation.metrics import significant_pairs
from mer.models.registry import DEFAULT_MODEL, NETWORKS
from mer.results import paper
from mer.results.wording import percent
from mer.weights import store

Record = Mapping[str, Any]
Scores = Mapping[str, Any]  # a result of mer.evaluation.metrics.evaluate

KINDS: Final = ("all", "clean")  # of the paper's test pictures
# Of the leaderboard: name in a CSV file, heading, whether more is better (None: neither is).
COLUMNS: Final[tuple[tuple[str, str, bool | None], ...]] = (
    ("network", "Network", None),
    ("accuracy_all", "All", True),
    ("accuracy_clean", "Clean", True),
    ("accuracy_everyday", "Everyday", True),
    ("accuracy_elsewhere", "Elsewhere", True),
    ("milliseconds", "ms a face", False),
    ("training_s", "Training", False),
    ("megabytes", "MB", False),
)
_PLACES: Final = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
_KEYS: Final = ("precision", "recall", "f1")


def read_records() -> tuple[dict[str, Record], list[str]]:
    """The records that can be shown, by network, and a sentence for each other one."""
    records: dict[str, Record] = {}
    problems: list[str] = []
    for name in store.names():
        try:
            record = store.read_record(name)
            table({name: record})
            report(record["evaluation"]["test"])
            records[name] = record
        except WeightsError as error:
            problems.append(str(error))
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
            problems.append(
                f"The record {store.FOLDER / f'{name}.json'} lacks the training or the test "
                f"figures. Measure it (python -m mer evaluate --model {name} --data DIR --save), "
                "or train it again (python -m mer train)."
            )
    return records, problems


def tests(record: Record) -> dict[str, Scores]:
    """The scores by kind of test pictures, as far as known: all, clean, everyday, other sets."""
    evaluation = record["evaluation"]
    test, everyday = evaluation["test"], evaluation.get("ferplus") or {}
    scores = {
        "all": test,
        "clean": test.get("clean"),
        "everyday": everyday.get("clean") or everyday,
        **(evaluation.get("elsewhere") or {}).get("sets", {}),
    }
    return {kind: one for kind, one in scores.items() if one}


def protocols(record: Record) -> dict[str, Scores]:
    """The scores on the paper's test pictures, by a name such as 'all 1860'."""
    return {f"{kind} {one['n']}": one for kind, one in tests(record).items() if kind in KINDS}


def ferplus(record: Record) -> dict[str, Scores]:
    """The scores on everyday faces, FER+'s, by a name as in `protocols`; {} if unknown."""
    other = record["evaluation"].get("ferplus")
    return protocols({"evaluation": {"test": other}}) if other else {}


def elsewhere(records: Mapping[str, Record]) -> pd.DataFrame:
    """The accuracy on faces from elsewhere: a row a data set, a column a network.

    In brackets stand the coverage of the sure answers and their accuracy. Sets that were left out
    of the trainings which chose the threshold come last. Empty where no record has such figures.
    """
    columns: dict[str, dict[str, str]] = {}
    for name, record in records.items():
        if away := record["evaluation"].get("elsewhere"):
            rows = {}
            for data, one in away["sets"].items():
                held_out = ", held out" if one["part"] == "held out" else ""
                rows[f"{data}: {one['n']}{held_out}"] = one["accuracy"], one["confidence"]["sure"]
            parts, mean = {one["part"] for one in away["sets"].values()}, away["mean"]
            partly = ", partly held out" * ("held out" in parts)
            rows[f"mean of {len(rows)} sets{partly}"] = mean["accuracy"], mean["sure"]
            for data, one in record.get("calibration", {}).get("left_out", {}).items():
                sure = {"coverage": one["coverage"], "accuracy": one["sure_accuracy"]}
                rows[f"{data}: {one['n']}, left out"] = one["accuracy"], sure
            for row, (right, sure) in rows.items():
                told = f"{percent(sure['coverage'])} sure, {percent(sure['accuracy'])} of them"
                columns.setdefault(name, {})[row] = f"{percent(right, 1)} ({told})"
    return pd.DataFrame(columns).fillna("–").rename_axis("pictures from").reset_index()


def left_out(records: Mapping[str, Record]) -> tuple[list[str], dict[str, float]]:
    """Sets of which no network with such figures had seen anything; its mean accuracy on them."""
    found = {name: one.get("calibration", {}).get("left_out", {}) for name, one in records.items()}
    known = {name: sets for name, sets in found.items() if sets}
    shared = sorted(set.intersection(*map(set, known.values()))) if known else []
    if not shared:
        return [], {}
    return shared, {n: fmean(s[data]["accuracy"] for data in shared) for n, s in known.items()}


def table(records: Mapping[str, Record], *, ranked: bool = True) -> pd.DataFrame:
    """The figures of networks as text: a row a figure, a column a network.

    The last row ranks the trainings, the shortest first, by processor time: it does not count other
    programs, so it can be compared on a busy machine.
    """
    sets, away = left_out(records)
    row = f"Faces from elsewhere, mean of {', '.join(sets)}, left out"
    told = {name: {row: percent(right, 1)} for name, right in away.items()}
    frame = pd.DataFrame({n: _column(record, told.get(n, {})) for n, record in records.items()})
    if ranked:
        seconds = [float(record["training"]["cpu_seconds"]) for record in records.values()]
        places = [*_PLACES, *(f"{place}th" for place in range(len(_PLACES) + 1, len(seconds) + 1))]
        ranks = [sorted(seconds).index(one) for one in seconds]
        frame.loc["Order by processor time"] = [places[rank] for rank in ranks]
    return frame.fillna("–").rename_axis("figure").reset_index()


def beside_the_paper(records: Mapping[str, Record]) -> pd.DataFrame:
    """`table`, and the accuracies that the paper printed."""
    frame = table(records).set_index("figure")
    for split in ("train", "test"):
        printed = {row.ours: percent(getattr(row, split) / 100, 2) for row in paper.TABLE_1}
        frame.loc[f"The paper's {split} accuracy"] = [printed.get(str(name), "–") for name in frame]
    return frame.reset_index()


def _column(record: Record, away: Mapping[str, str]) -> dict[str, str]:
    tested, evaluation = protocols(record), record["evaluation"]
    everyday = {f"Everyday faces, FER+ Valid, {name}": one for name, one in ferplus(record).items()}
    named = {f"Test accuracy, {name}": one for name, one in tested.items()} | everyday
    column: dict[str, str] = {}
    if train := evaluation.get("train"):
        column[f"Train accuracy ({train['n']} pictures)"] = percent(train["accuracy"], 1)
    column |= {f"{name} (95 % interval)": accuracy(scores) for name, scores in named.items()}
    column |= away
    column |= {f"Macro F1, {name}": f"{one['macro_f1']:.3f}" for name, one in tested.items()}
    for protocol, scores in tested.items():
        if confidence := scores.get("confidence"):
            sure = confidence["sure"]
            column[f"Calibration error, {protocol}"] = f"{confidence['ece']:.3f}"
            column[f"Right where sure (share of faces), {protocol}"] = (
                f"{percent(sure['accuracy'], 1)} ({percent(sure['coverage'])})"
            )
    return column | {
        "Training, processor time": duration(record["training"]["cpu_seconds"]),
        "Parameters": f"{record['parameters'] / 1e6:.2f} M",
        "Weights file": f"{record['file']['bytes'] / 1e6:.1f} MB",
    }


def accuracy(scores: Scores) -> str:
    """'85.2 % (83.5–86.7)': accuracy and its 95 % interval."""
    low, high = scores["accuracy_interval"]
    return f"{percent(scores['accuracy'], 1)} ({100 * low:.1f}–{100 * high:.1f})"


def duration(seconds: float) -> str:
    """'1 h 12 min', '40 min' or '35 s'."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


def test_reads(records: Mapping[str, Record]) -> str:
    """A sentence on how often the test pictures were scored; "" if it is unknown."""
    counted = {name: one["test_reads"] for name, one in records.items() if one.get("test_reads")}
    if not counted:
        return ""
    told = ", ".join(f"{name} {reads}" for name, reads in counted.items())
    text = f"How often the test pictures were scored: {told}."
    if max(counted.values()) == 1:
        return text
    why = "the last figures are a little kind, for the earlier ones were known."
    return f"{text} More than once is too often: {why}"


def stages(record: Record) -> str:
    """The legend of the stages: 'stage 1: ferplus, 8 epochs; stage 2: ...'."""
    return "; ".join(
        f"stage {number}: {stage['name']}, {len(stage['history'])} epochs"
        for number, stage in enumerate(record["training"]["stages"], 1)
    )


def label_noise(records: Mapping[str, Record]) -> str:
    """A sentence on the label noise of the test pictures; "" if it is unknown."""
    known = (record["evaluation"]["test"].get("label_noise") for record in records.values())
    if (noise := next(filter(None, known), None)) is None:
        return ""
    low, high = (percent(end, 1) for end in noise["ceiling_interval"])
    return (
        f"Of {noise['twins']} test photographs that also lie among those learned from, "
        f"{noise['relabelled']} have another label there. If labels are wrong as often everywhere, "
        f"a faultless network would be counted right in {percent(noise['ceiling'], 1)} "
        f"({low} to {high}), or in fewer, since mistakes that both labels share do not show."
    )


def report(scores: Scores) -> pd.DataFrame:
    """The classification report: a row a class, then accuracy and the two averages.

    Columns: class, precision, recall, f1 (0..1, NaN where undefined) and pictures.
    """
    rows = {name: one | {"pictures": one["support"]} for name, one in scores["per_class"].items()}
    rows["accuracy"] = {"f1": scores["accuracy"], "pictures": scores["n"]}
    for kind in ("macro", "weighted"):
        means = {key: scores[f"{kind}_{key}"] for key in _KEYS}
        rows[f"{kind} average"] = means | {"pictures": scores["n"]}
    frame = pd.DataFrame(rows).T.reindex(columns=[*_KEYS, "pictures"])
    types = dict.fromkeys(_KEYS, float) | {"pictures": int}
    return frame.astype(types).rename_axis("class").reset_index()


def rows_for_screen(frame: pd.DataFrame) -> pd.DataFrame:
    """A report with its figures as text of three digits, or a dash where undefined."""
    text = frame[[*_KEYS]].map(lambda value: "–" if np.isnan(value) else f"{value:.3f}")
    return frame.assign(**text).rename(columns={"f1": "F1"})


def confused(scores: Scores, limit: int = 5) -> list[str]:
    """The top confusions in words, by share of the true class, the largest first."""
    counts = np.asarray(scores["confusion"], dtype=np.int64)  # rows are the truth
    names, totals = list(scores["per_class"]), counts.sum(axis=1)
    pairs = [(i, j) for i, j in np.argwhere(counts > 0).tolist() if i != j]
    pairs.sort(key=lambda pair: -counts[pair] / totals[pair[0]])
    return [
        f"{names[i]} as {names[j]}: {counts[i, j]} of {totals[i]} "
        f"({percent(counts[i, j] / totals[i])})"
        for i, j in pairs[:limit]
    ]


def leaderboard(
    records: Mapping[str, Record], milliseconds: Mapping[str, float] | None = None
) -> list[dict[str, Any]]:
    """A row a network, by the names in COLUMNS; None where something is not known.

    The default network comes first, then whoever is right most often on clean pictures.
    """
    rows = []
    away = left_out(records)[1]
    for name, record in records.items():
        scores = tests(record) | {"elsewhere": {"accuracy": away.get(name)}}
        kinds = (*KINDS, "everyday", "elsewhere")
        rows.append(
            {
                "network": name,
                **{f"accuracy_{kind}": scores.get(kind, {}).get("accuracy") for kind in kinds},
                "milliseconds": (milliseconds or {}).get(name),
                "training_s": record["training"]["cpu_seconds"],
                "megabytes": record["file"]["bytes"] / 1e6,
            }
        )
    rows.sort(key=lambda row: -(row["accuracy_clean"] or row["accuracy_all"]))
    return sorted(rows, key=lambda row: row["network"] != DEFAULT_MODEL)


def shown_columns(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, bool | None]]:
    """Those of COLUMNS of which something is known, and the one to be measured yet."""
    return [one for one in COLUMNS if one[0] == "milliseconds" or any(r[one[0]] for r in rows)]


def best(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The best figure of each column of the leaderboard in which several networks have one."""
    known = {key: [row[key] for row in rows if row[key] is not None] for key, *_ in COLUMNS}
    judged = {key: max if more else min for key, _, more in COLUMNS if more is not None}
    return {key: choose(known[key]) for key, choose in judged.items() if len(known[key]) > 1}


def cell(key: str, value: Any) -> str:
    """A figure of the leaderboard as its table shows it."""
    if value is None or key.startswith("accuracy"):
        return percent(value, 1)
    if key == "training_s":
        return duration(value)
    return value if isinstance(value, str) else f"{value:.1f}"


def purpose(name: str) -> str:
    """What a network is for, in a few words."""
    if name not in NETWORKS:
        return "your own"
    what = NETWORKS[name].description.split(":")[0].split(",")[0]
    return f"recommended ({what})" if name == DEFAULT_MODEL else what


def significance(records: Mapping[str, Record], kind: str) -> tuple[list[str], list[list[str]]]:
    """Networks, and a matrix of them: "better", "worse" or "" where it may be chance.

    They are compared by their mistakes on the same pictures, see `mer.evaluation.metrics`.
    """
    known = {name: tests(record).get(kind, {}) for name, record in records.items()}
    mistakes = {name: one["mistakes"] for name, one in known.items() if "mistakes" in one}
    real = significant_pairs(mistakes)
    names = sorted(mistakes, key=lambda name: len(mistakes[name]))
    said = dict.fromkeys(real, "better") | {pair[::-1]: "worse" for pair in real}
    return names, [[said.get((one, other), "") for other in names] for one in names]


def verdict(records: Mapping[str, Record]) -> list[str]:
    """`significance` in sentences, one for all and one for clean pictures."""
    told = []
    for kind in KINDS:
        names, matrix = significance(records, kind)
        beaten = [[names[at] for at, said in enumerate(row) if said == "better"] for row in matrix]
        pairs = [(name, " and ".join(of)) for name, of in zip(names, beaten, strict=True) if of]
        text = "no network is shown to be better than another."
        if ahead := ", ".join(f"{name} is ahead of {of}" for name, of in pairs):
            text = f"{ahead} by more than chance."
        told += [f"On {kind} pictures {text}"] if len(names) > 1 else []
    return told
