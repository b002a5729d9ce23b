"""Tables and sentences from the records, for the Comparison and the Report tab."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from mer.errors import WeightsError
from mer.results import paper
from mer.results.wording import percent

Record = Mapping[str, Any]
Scores = Mapping[str, Any]  # a result of mer.evaluation.metrics.evaluate

_PLACES: Final = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


def read_records() -> tuple[dict[str, Record], list[str]]:
    """Return the records that can be shown, by network, and a sentence for each other one."""
    from mer.weights import store

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
                "figures. Measure it "
                f"(python -m mer evaluate --model {name} --data DIR --save), or train it again "
                "(python -m mer train)."
            )
    return records, problems


def protocols(record: Record) -> dict[str, Scores]:
    """Return the scores of each test protocol of a record, by a name such as 'all 1860'."""
    test = record["evaluation"]["test"]
    scores = {f"all {test['n']}": test}
    if test.get("clean"):
        scores[f"clean {test['clean']['n']}"] = test["clean"]
    return scores


def ferplus(record: Record) -> dict[str, Scores]:
    """The scores on everyday faces, FER+'s, by a name as in `protocols`; {} if unknown."""
    other = record["evaluation"].get("ferplus")
    return protocols({"evaluation": {"test": other}}) if other else {}


def tests(record: Record) -> dict[str, Scores]:
    """The scores of a record by kind of test pictures: all, clean, everyday, sets from elsewhere.

    Kinds that were not measured are left out.
    """
    evaluation = record["evaluation"]
    test, everyday = evaluation["test"], evaluation.get("ferplus") or {}
    scores = {
        "all": test,
        "clean": test.get("clean"),
        "everyday": everyday.get("clean") or everyday,
        **(evaluation.get("elsewhere") or {}).get("sets", {}),
    }
    return {kind: one for kind, one in scores.items() if one}


def elsewhere(records: Mapping[str, Record]) -> pd.DataFrame:
    """Return the accuracy on faces from elsewhere: a row a data set, a column a network.

    In brackets stand the coverage of the sure answers and their accuracy. Sets that were left out
    of the trainings which chose the threshold come last. Without a record that has such figures the
    table is empty.
    """
    known = {n: r["evaluation"]["elsewhere"] for n, r in records.items() if _travelled(r)}
    cells: dict[str, dict[str, str]] = {}
    for name, figures in known.items():
        for data, scores in figures["sets"].items():
            part = ", held out" if scores["part"] == "held out" else ""
            cells.setdefault(f"{data}: {scores['n']}{part}", {})[name] = _away(
                scores["accuracy"], scores["confidence"]["sure"]
            )
        cells.setdefault(f"mean of {len(figures['sets'])} sets", {})[name] = _away(
            figures["mean"]["accuracy"], figures["mean"]["sure"]
        )
        for data, scores in records[name].get("calibration", {}).get("left_out", {}).items():
            sure = {"coverage": scores["coverage"], "accuracy": scores["sure_accuracy"]}
            cells.setdefault(f"{data}: {scores['n']}, left out", {})[name] = _away(
                scores["accuracy"], sure
            )
    frame = pd.DataFrame.from_dict(cells, orient="index", columns=list(known)).fillna("–")
    return frame.rename_axis("pictures from").reset_index()


def _travelled(record: Record) -> bool:
    return bool(record["evaluation"].get("elsewhere"))


def _away(share: float, sure: Mapping[str, Any]) -> str:
    right = "–" if sure["accuracy"] is None else percent(sure["accuracy"])
    return f"{percent(share, 1)} ({percent(sure['coverage'])} sure, {right} of them)"


def table(records: Mapping[str, Record]) -> pd.DataFrame:
    """Return the figures of all networks as text: a row a figure, a column a network.

    The last row ranks the trainings, the shortest first, by processor time: it does not count other
    programs, so it can be compared on a busy machine.
    """
    frame = pd.DataFrame({name: _column(record) for name, record in records.items()})
    seconds = [float(record["training"]["cpu_seconds"]) for record in records.values()]
    ranks = [sorted(seconds).index(one) for one in seconds]
    frame.loc["Order by processor time"] = [
        _PLACES[rank] if rank < len(_PLACES) else f"{rank + 1}th" for rank in ranks
    ]
    return frame.fillna("–").rename_axis("figure").reset_index()


def beside_the_paper(records: Mapping[str, Record]) -> pd.DataFrame:
    """`table`, and the accuracies that the paper printed."""
    frame = table(records).set_index("figure")
    printed = {row.ours: row for row in paper.TABLE_1}
    for split in ("train", "test"):
        frame.loc[f"The paper's {split} accuracy"] = [
            percent(getattr(printed[name], split) / 100, 2) if name in printed else "–"
            for name in frame.columns
        ]
    return frame.reset_index()


def test_reads(records: Mapping[str, Record]) -> str:
    """Return a sentence on how often the test pictures were scored; "" if it is unknown."""
    counted = {name: one["test_reads"] for name, one in records.items() if one.get("test_reads")}
    if not counted:
        return ""
    told = ", ".join(f"{name} {reads}" for name, reads in counted.items())
    text = f"How often the test pictures were scored: {told}."
    if max(counted.values()) == 1:
        return text
    return (
        f"{text} More than once is too often: the last figures are a little kind, for the earlier "
        "ones were known."
    )


def alone(name: str, record: Record) -> pd.DataFrame:
    """Return the table of one network, without what compares networks."""
    return pd.DataFrame({name: _column(record)}).rename_axis("figure").reset_index()


def _column(record: Record) -> dict[str, str]:
    train = record["evaluation"].get("train")
    column = (
        {f"Train accuracy ({train['n']} pictures)": percent(train["accuracy"], 1)} if train else {}
    )
    for protocol, scores in protocols(record).items():
        column[f"Test accuracy, {protocol} (95 % interval)"] = accuracy(scores)
    for protocol, scores in ferplus(record).items():
        column[f"Everyday faces, FER+ Valid, {protocol} (95 % interval)"] = accuracy(scores)
    if _travelled(record):
        away = record["evaluation"]["elsewhere"]
        row = f"Faces from elsewhere, mean of {len(away['sets'])} sets"
        column[row] = percent(away["mean"]["accuracy"], 1)
    for protocol, scores in protocols(record).items():
        column[f"Macro F1, {protocol}"] = f"{scores['macro_f1']:.3f}"
    for protocol, scores in protocols(record).items():
        column |= _confidence(protocol, scores.get("confidence"))
    return column | {
        "Training, processor time": duration(record["training"]["cpu_seconds"]),
        "Parameters": f"{record['parameters'] / 1e6:.2f} M",
        "Weights file": f"{record['file']['bytes'] / 1e6:.1f} MB",
    }


def _confidence(protocol: str, confidence: Scores | None) -> dict[str, str]:
    """Return two cells: the calibration error, and accuracy and coverage of sure answers."""
    if not confidence:
        return {}
    sure = confidence["sure"]
    right = "–" if sure["accuracy"] is None else percent(sure["accuracy"], 1)
    return {
        f"Calibration error, {protocol}": f"{confidence['ece']:.3f}",
        f"Right where sure (share of faces), {protocol}": f"{right} ({percent(sure['coverage'])})",
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


def paper_table() -> pd.DataFrame:
    """The paper's Table 1, as it prints it."""
    return pd.DataFrame(
        {
            "network": [row.network for row in paper.TABLE_1],
            "train": [percent(row.train / 100, 2) for row in paper.TABLE_1],
            "test": [percent(row.test / 100, 2) for row in paper.TABLE_1],
            "finished": [row.finished for row in paper.TABLE_1],
        }
    )


def paper_scores() -> Scores:
    """Figures of the paper's CNN Model 1, computed here from the matrix of its Figure 6."""
    from mer.evaluation.metrics import evaluate

    return evaluate(np.array(paper.FIGURE_6))


def stages(record: Record) -> str:
    """Return the legend of the stages: 'stage 1: ferplus, 8 epochs; stage 2: ...'."""
    return "; ".join(
        f"stage {number}: {stage['name']}, {len(stage['history'])} epochs"
        for number, stage in enumerate(record["training"]["stages"], 1)
    )


def label_noise(records: Mapping[str, Record]) -> str:
    """Return a sentence on the label noise of the test pictures; "" if it is unknown."""
    tests = (record["evaluation"]["test"] for record in records.values())
    known = [test["label_noise"] for test in tests if "label_noise" in test]
    if not known:
        return ""
    noise = known[0]
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
    rows: list[dict[str, Any]] = [
        {"class": name, **{key: one[key] for key in _KEYS}, "pictures": int(one["support"])}
        for name, one in scores["per_class"].items()
    ]
    rows.append({"class": "accuracy", "f1": scores["accuracy"], "pictures": scores["n"]})
    for kind in ("macro", "weighted"):
        means = {key: scores[f"{kind}_{key}"] for key in _KEYS}
        rows.append({"class": f"{kind} average", **means, "pictures": scores["n"]})
    frame = pd.DataFrame(rows, columns=["class", *_KEYS, "pictures"])
    return frame.astype(dict.fromkeys(_KEYS, float))


_KEYS: Final = ("precision", "recall", "f1")


def confused(scores: Scores, limit: int = 5) -> list[str]:
    """Return the top confusions in words, by share of the true class, the largest first."""
    counts = np.asarray(scores["confusion"], dtype=np.int64).copy()  # rows are the truth
    totals = counts.sum(axis=1)
    np.fill_diagonal(counts, 0)
    pairs = [(int(row), int(column)) for row, column in np.argwhere(counts > 0)]
    pairs.sort(key=lambda pair: -counts[pair] / totals[pair[0]])
    names = list(scores["per_class"])
    return [
        f"{names[i]} as {names[j]}: {counts[i, j]} of {totals[i]} "
        f"({percent(counts[i, j] / totals[i])})"
        for i, j in pairs[:limit]
    ]


def rows_for_screen(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a report with its figures as text of three digits, or a dash where undefined."""
    text = frame.copy()
    for key in _KEYS:
        text[key] = ["–" if np.isnan(value) else f"{value:.3f}" for value in frame[key]]
    return text.rename(columns={"f1": "F1"})
