"""Several sources of one city: their own objects kept, one object each for what people see."""
