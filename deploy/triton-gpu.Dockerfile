# The official Triton, its TensorRT and onnxruntime, and what the Python steps of the repository import.
ARG TRITON_RELEASE
FROM nvcr.io/nvidia/tritonserver:${TRITON_RELEASE}-py3
COPY deploy/triton-steps.txt /opt/ocr/
RUN pip install --no-cache-dir --requirement /opt/ocr/triton-steps.txt \
    && useradd --uid 10001 --create-home ocr \
    && install --directory --owner ocr /models /cache
COPY embedded/repository.py deploy/triton-gpu.sh /opt/ocr/
USER 10001
EXPOSE 8001 8002 8003
ENTRYPOINT ["bash", "/opt/ocr/triton-gpu.sh"]
