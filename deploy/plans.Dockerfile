# `python -m export` beside the TensorRT of the Triton that serves: builds plans on its GPU.
ARG TRITON_RELEASE
FROM nvcr.io/nvidia/tensorrt:${TRITON_RELEASE}-py3
ARG UV_VERSION
ENV UV_PROJECT_ENVIRONMENT=/opt/venv \
    UV_LINK_MODE=copy \
    PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    MODEL_REPOSITORY=/models \
    RELEASES_DIR=/releases
WORKDIR /app
# The container's own TensorRT is seen from the environment; its other packages are ours.
RUN pip install --no-cache-dir "uv==${UV_VERSION}" \
    && python3 -m venv --system-site-packages /opt/venv \
    && useradd --uid 10001 --create-home ocr \
    && install --directory --owner ocr /models /releases /cache
COPY pyproject.toml uv.lock README.md ./
RUN uv sync --frozen --no-cache --no-dev --no-install-project --inexact \
        --extra embedded --extra export --group bench
COPY bench ./bench
COPY deploy/versions.env ./deploy/versions.env
COPY export ./export
COPY model_repository ./model_repository
USER 10001
ENTRYPOINT ["python", "-m", "export", "--cache", "/cache"]
