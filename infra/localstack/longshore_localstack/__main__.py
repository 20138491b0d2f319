"""Starts LocalStack: `python -m longshore_localstack`."""

import sys
import warnings

# LocalStack 4.14 imports this from where Python 3.13 has it; it runs on 3.12 otherwise.
if sys.version_info < (3, 13):
    from typing_extensions import deprecated

    warnings.deprecated = deprecated

from localstack.runtime.main import main  # noqa: E402

if __name__ == "__main__":
    main()
