"""A measured case in the words of others: benchdnn, ONNX, and C++ that needs nothing but the library."""
