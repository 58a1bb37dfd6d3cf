#!/bin/sh
# `ocr` in the image of the service, whose packages are files beside each other.
PYTHONPATH=/app exec python -m ocr_cli "$@"
