"""Files without code: numbers and text as safetensors, written whole, checked when read."""
