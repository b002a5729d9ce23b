"""The data sets that networks learned from, with their owners' terms."""

from collections.abc import Mapping
from typing import Any, Final

# The keys are names of data set folders, as they stand in the records.
TERMS: Final = {
    "micro-expressions": "the paper's set (Kaggle, kmirfan): owners of the pictures unknown",
    "ferplus": "FER2013 (Kaggle 2013) with the FER+ labels (MIT): owners unknown, for research",
    "affectnet": "AffectNet (Mollahosseini et al. 2017): for research",
    "kdef": "KDEF (Lundqvist et al. 1998): for non-commercial research",
    "cfee": "CFEE (Du et al. 2014): for research",
    "cfee_inferred": "CFEE, labels inferred: for research",
    "cfee_compound": "CFEE, two expressions at once: for research",
    "lfw": "Labeled Faces in the Wild: press photographs; labels Apache-2.0",
    "sdfaces": "stock and generated faces: terms unknown",
    "moodme": "stock faces: terms unknown",
    "children": "faces of children: terms unknown",
    "london": "Face Research Lab London Set: CC BY 4.0",
    "abmt": "ABMT: Apache-2.0",
    "nimstim": "NimStim (Tottenham et al. 2009): for research",
    "chefs": "CHEFS: for research",
    "yale": "Yale faces: for research",
}


def learned(record: Mapping[str, Any]) -> list[str]:
    """The data sets of all stages of a record's training, each with its terms, in their order."""
    stages = record.get("training", {}).get("stages", [])
    names = dict.fromkeys(part["name"] for stage in stages for part in stage.get("data", []))
    return [TERMS.get(name, f"{name}: terms not known to this program") for name in names]
