# `python -m releases` beside the TensorRT of the Triton that serves: builds plans on its GPU.
ARG TRITON_RELEASE
FROM nvcr.io/nvidia/tensorrt:${TRITON_RELEASE}-py3
ENV UV_PROJECT_ENVIRONMENT=/opt/venv \
    UV_LINK_MODE=copy \
    PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    MODEL_REPOSITORY=/models \
    RELEASES_DIR=/releases \
    ENGINE_CACHE=/cache/tensorrt
WORKDIR /app
COPY --chmod=755 deploy/uv.txt ./deploy/uv.txt
# The container's own TensorRT is seen from the environment; its other packages are ours. uv makes the environment:
# the container's Python has no ensurepip.
RUN pip install --no-cache-dir --require-hashes --requirement deploy/uv.txt \
    && uv venv --no-python-downloads --system-site-packages /opt/venv \
    && useradd --uid 10001 --create-home ocr \
    && install --directory --owner ocr /models /releases /cache
COPY --chmod=755 pyproject.toml uv.lock README.md ./
RUN uv sync --frozen --no-cache --no-dev --no-install-project --inexact \
        --extra embedded --extra export
COPY --chmod=755 quality ./quality
COPY --chmod=755 deploy/versions.env ./deploy/versions.env
COPY --chmod=755 ocr_base ./ocr_base
COPY --chmod=755 export ./export
COPY --chmod=755 releases ./releases
COPY --chmod=755 model_repository ./model_repository
USER 10001
ENTRYPOINT ["python", "-m", "releases", "--cache", "/cache"]
