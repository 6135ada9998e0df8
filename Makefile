PATH := $(CURDIR)/.venv/bin:$(PATH)
