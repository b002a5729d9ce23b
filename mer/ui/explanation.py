"""Why the network said so: class-activation maps of one face, for any class, by two networks."""

from collections.abc import Sequence
from typing import Any, Final

import gradio as gr
import numpy as np

from mer.emotions import EMOTIONS
from mer.inference import class_activation_map
from mer.inference.predictor import Prediction
from mer.io import images
from mer.results import html_document
from mer.weights import store

SIDE: Final = 240  # pixels of a kept face: enough to look at, and 50 of them take 9 MB
MOST: Final = 50  # faces that are kept
NONE: Final = "none"
AS_NAMED: Final = "as predicted"
_EXPLAIN: Final = (
    "Bright is what speaks for the class to the network, relative to the rest of this map: what "
    "moved its answer, not whether the answer is right."
)

Face = tuple[str, np.ndarray, str]  # what the face is called, its crop, what it looks like


def build(network: gr.Radio) -> tuple[gr.Accordion, gr.Dropdown, gr.State]:
    """Lay out the section, hidden until there is a face; return what `show` fills."""
    title = "Why? Where the network looks"
    with gr.Accordion(title, open=False, visible=False, elem_id="why") as section:
        with gr.Row():
            emotion = gr.Dropdown([AS_NAMED, *EMOTIONS], label="Class", min_width=140)
            other = gr.Dropdown([NONE, *store.available()], label="Compare with", min_width=140)
            strength = gr.Slider(0, 1, 0.5, step=0.05, label="Opacity", min_width=140)
        maps = gr.HTML(elem_id="maps", js_on_load=None)
        gr.Markdown(_EXPLAIN)
    faces: gr.State = gr.State([], time_to_live=600)
    face = gr.Number(0, visible=False, precision=0, label="Face")
    again = gr.Button(visible="hidden", elem_id="explain")  # pressed when another is selected
    gr.on(
        [section.expand, again.click, emotion.input, other.input, strength.input],
        look,
        [faces, face, emotion, network, other, strength],
        maps,
        js="(faces, _, ...rest) => [faces, window.mer.face(), ...rest]",
        trigger_mode="always_last",
        api_visibility="private",
    )
    return section, emotion, faces


def show(named: Sequence[tuple[str, np.ndarray, Prediction]]) -> list[Any]:
    """Updates of what `build` returned, from what each face is called, its crop and prediction."""
    kept = [
        (name, images.resize(crop, SIDE), prediction.emotion)
        for name, crop, prediction in named[:MOST]
    ]
    classes = named[0][2].classes if named else EMOTIONS
    emotion = gr.Dropdown([AS_NAMED, *classes], value=AS_NAMED)
    return [gr.Accordion(visible=bool(kept), open=False), emotion, kept]


def look(
    faces: list[Face],
    index: int | None,
    emotion: str,
    network: str,
    other: str,
    strength: float,
) -> str:
    """HTML of one network's map; with another one beside it, also its, and where they disagree."""
    if not 0 <= (index or 0) < len(faces):
        return ""
    name, crop, named = faces[index or 0]
    wanted = named if emotion == AS_NAMED else emotion
    chosen = list(dict.fromkeys(name for name in (network, other) if name != NONE))
    activations = [class_activation_map.layer_cam(crop, name, wanted) for name in chosen]
    shown = [
        (class_activation_map.overlay(crop, activation, strength), f"{wanted}, to {name}")
        for name, activation in zip(chosen, activations, strict=True)
    ]
    if len(activations) > 1:
        apart = class_activation_map.difference(crop, *activations)
        shown.append((apart, f"orange: more to {chosen[0]}; blue: more to {chosen[1]}"))
    maps = [(html_document.jpeg(image), said) for image, said in shown]
    return html_document.render("maps.html", name=name, maps=maps)
