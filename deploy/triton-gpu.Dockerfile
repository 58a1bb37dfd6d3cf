# The official Triton, its TensorRT and onnxruntime, and what the Python steps of the repository import.
ARG TRITON_RELEASE
FROM nvcr.io/nvidia/tritonserver:${TRITON_RELEASE}-py3
COPY --chmod=755 deploy/triton-steps.txt /opt/ocr/
RUN pip install --no-cache-dir --require-hashes --requirement /opt/ocr/triton-steps.txt \
    && useradd --uid 10001 --create-home ocr \
    && install --directory --owner ocr /models /cache
COPY --chmod=755 ocr_base/__init__.py ocr_base/triton.py /opt/ocr/ocr_base/
COPY --chmod=755 embedded/__init__.py embedded/command_line.py embedded/repository.py embedded/triton_health.py \
    /opt/ocr/embedded/
COPY --chmod=755 deploy/triton_gpu.py /opt/ocr/
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001
EXPOSE 8001 8002
ENTRYPOINT ["python3", "/opt/ocr/triton_gpu.py", "/run/secrets/triton_control_key"]
