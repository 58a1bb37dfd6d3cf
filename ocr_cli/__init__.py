"""`ocr`: the command line of a running OCR server, and of the machine it is to run on."""
