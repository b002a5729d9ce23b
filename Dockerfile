# The page, on a processor, as a user without rights.
#   docker build -t mer .
#   docker run --rm -p 7860:7860 mer
FROM python:3.12-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --create-home --uid 1000 mer
WORKDIR /home/mer/app

# PyTorch's own index has wheels for processors; those of PyPI carry gigabytes for graphics cards.
COPY requirements.txt ./
RUN pip install --extra-index-url https://download.pytorch.org/whl/cpu -r requirements.txt

COPY app.py LICENSE ./
COPY mer ./mer
COPY weights ./weights

USER mer
EXPOSE 7860
# The address answers without the password of MER_USER and MER_PASSWORD, and tells nothing.
HEALTHCHECK --interval=30s --timeout=10s --start-period=90s \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:7860/gradio_api/startup-events', timeout=8)"]
CMD ["python", "-m", "mer", "app", "--host", "0.0.0.0"]
