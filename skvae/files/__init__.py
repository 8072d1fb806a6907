"""Files without code: numbers and text in safetensors format, written whole, checked when read."""
