"""The About tab: what happens to a picture, what the networks learned from, what is barred."""

import contextlib
import os
from html import escape
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import Final

import gradio as gr

from mer.hub import card
from mer.models.registry import NETWORKS
from mer.results import comparison, paper, terms
from mer.results.wording import percent
from mer.ui import downloads, retention
from mer.version import __version__

_PICTURES: Final = """
## What happens to your picture or video

It is sent to the computer that runs this page, read in its memory, and answered. It is not added
to any collection, not used for training, and not passed on. The camera records without sound. The
page keeps no history of your runs, counts no visitors and reports to nobody.

{kept}

Show only your own face, or those of people who agreed to it.
"""

_MEANING: Final = """
## What an answer means

The page says which of seven expressions a face *looks like*, and how sure the network is. It
cannot say what someone feels. People scowl when they concentrate and smile when they are ill at
ease: how an emotion shows depends on the person, the situation and the culture
([Barrett et al. 2019](https://doi.org/10.1177/1529100619832930)). Nor does a face give away a
lie: fleeting expressions are a poor cue of deceit
([Burgoon 2018](https://doi.org/10.3389/fpsyg.2018.01672)).
"""

_LEARNED: Final = """
## What the networks learned from

The data set of the paper is called *micro-expressions*
([Kaggle, kmirfan](https://www.kaggle.com/datasets/kmirfan/micro-expressions)), yet it holds none.
A micro-expression lasts at most half a second, so a single picture cannot hold it; that is what
the Video tab is for. These are posed still photographs from stock sites and the web. Figures on
everyday faces (FER+) stand beside theirs on the Comparison tab.

{leak} Hence two figures, always side by side: over all test pictures, as in the paper, and over
the clean ones alone. {reads}
"""

_BARRED: Final = """
## What it must not be used for

Not for decisions about people: not in security or policing, not to detect lies, not in hiring or
at work, not in schools. In the European Union,
inferring emotions at work or in education is prohibited, with narrow exceptions for medical and
safety reasons (AI Act, Article 5(1)(f)), and people exposed to such a system have to be told
(Article 50(3)). It is a study of a method, made for learning and for criticism.
"""

_SOURCES: Final = """
## Sources and licences

- The page follows {paper}; its networks were built and trained anew here.
{networks}
- The networks learned from these pictures, most of which are given for research only; use the
  weights for research only:
{learned}
- Face detectors: YuNet from the [OpenCV Zoo](https://github.com/opencv/opencv_zoo), MIT; Haar
  from [OpenCV](https://github.com/opencv/opencv), Apache 2.0.

No picture of these data sets is in this project, only what was computed from them.

## Versions

{versions}
"""

_LIBRARIES: Final = ("torch", "torchvision", "opencv-python-headless", "gradio", "plotly")


def build() -> None:
    """Lay out the tab inside the current `gr.Tab`."""
    with gr.Row():
        with gr.Column(min_width=320):
            gr.Markdown(pictures() + _BARRED + _MEANING)
        with gr.Column(min_width=320):
            sources = _SOURCES.format(
                paper=paper.SOURCE,
                networks=_starts(),
                learned=_learned_from(),
                versions=_versions(),
            )
            gr.Markdown(_LEARNED.format(leak=_leak(), reads=_reads()) + sources)
            gr.HTML(_cards(), elem_id="cards", js_on_load=None)


def pictures() -> str:
    """What happens to a picture, as Markdown: with the table of what is kept, and how long."""
    return _PICTURES.format(kept=retention.table())


def _cards() -> str:
    """Links to each network's model card, and to the program's source where that is known."""
    cards = []
    for name in comparison.read_records()[0]:
        with contextlib.suppress(LookupError, TypeError):  # a record may say too little for a card
            cards.append(downloads.links(f"model-card-{name}", {"md": card.text(name)}, name))
    space = os.environ.get("SPACE_ID", "")
    source = f'<p><a href="https://huggingface.co/spaces/{escape(space)}/tree/main">Source</a></p>'
    return f"<h2>Model cards</h2>{''.join(cards)}{source if space else ''}"


def _starts() -> str:
    """The networks that began with the weights of others, a line each."""
    begun = {name: one.start for name, one in NETWORKS.items() if one.start}
    return "\n".join(
        f"- {name} began as {start}, and was trained on." for name, start in begun.items()
    )


def _leak() -> str:
    """How much of the test set has a twin in the training set, from the first record with it."""
    text = (
        "Many of its test pictures show the same photograph as one that the networks learned from"
    )
    records, _ = comparison.read_records()
    for record in records.values():
        test = record["evaluation"]["test"]
        if test.get("clean"):
            twins = test["n"] - test["clean"]["n"]
            return f"{text}: {twins} of {test['n']}, that is {percent(twins / test['n'])}."
    return f"{text}."


def _reads() -> str:
    records, _ = comparison.read_records()
    return comparison.test_reads(records)


def _learned_from() -> str:
    """The data sets that any network learned from, with their terms, as Markdown."""
    records, _ = comparison.read_records()
    known = dict.fromkeys(one for record in records.values() for one in terms.learned(record))
    return "\n".join(f"  - {one}" for one in known)


def _versions() -> str:
    lines = [f"mer {__version__}", f"Python {python_version()}"]
    for library in _LIBRARIES:
        try:
            lines.append(f"{library} {version(library)}")
        except PackageNotFoundError:
            continue
    return " · ".join(lines)
