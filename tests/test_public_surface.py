"""What `import mer` promises: cheap, complete, documented."""

import inspect
import subprocess
import sys

import pytest

import mer

HEAVY = {"torch", "torchvision", "cv2", "gradio", "numpy", "pandas", "scipy", "plotly", "PIL"}


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = mer.nothing


def test_all_names_what_the_modules_lend() -> None:
    lent = [name for names in mer._HOMES.values() for name in names]
    assert sorted(lent) == sorted(mer.__all__)
    assert set(mer.__all__) <= set(dir(mer))


@pytest.mark.parametrize("name", mer.__all__)
def test_every_name_is_there_and_documented(name: str) -> None:
    value = getattr(mer, name)
    if callable(value):
        assert inspect.getdoc(value)


def test_the_papers_names_are_there() -> None:
    names = {
        *("BaseClasificacionImagenes", "ModeloMERCNN", "get_default_device", "selected_device"),
        *("DeviceDataLoader", "predict_image", "detect_faces", "enhance_image", "capture_image"),
    }
    assert names <= set(mer.__all__)


def test_import_is_cheap() -> None:
    program = "import sys, mer; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not HEAVY & set(done.stdout.split())


def test_the_page_is_built_without_what_is_slow_to_import() -> None:
    program = "import sys; from mer.ui import build; build(); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not {"torch", "scipy"} & set(done.stdout.split())


def test_a_picture_is_read_without_torch() -> None:
    program = "import sys, mer; mer.get_predictor(); print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False"]
