#!/bin/sh
# Inside a build: installs the lock of one image into /opt/venv and writes its bill of materials.
#   install.sh IMAGE
set -eu
image=$1
/uv/bin/uv venv --quiet --python "$(command -v python3)" /opt/venv
/uv/bin/uv pip sync --quiet --python /opt/venv/bin/python --require-hashes --compile-bytecode "/src/locks/$image.txt"
if [ "$image" != airflow ]; then # Airflow's libraries have not been tried without their tests
  # The libraries' own tests and headers: 120 MB that nothing imports.
  find /opt/venv -type d -name tests -prune -exec rm -rf {} +
  rm -rf /opt/venv/lib/python3*/site-packages/pyarrow/include
fi
/opt/venv/bin/python /src/sbom.py "perennial-$image" /src/status /sbom.cdx.json
