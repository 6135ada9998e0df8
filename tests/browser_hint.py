"""Says, before the tests run, how to get the browser that some of them need."""

from tests.conftest import CHROMIUM_HINT, chromium_path

if __name__ == "__main__" and chromium_path() is None:
    print(CHROMIUM_HINT)
