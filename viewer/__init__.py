"""What a person sees: pydeck views in Python, drawn by a TypeScript client."""
