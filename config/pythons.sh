#!/bin/sh
# Prints each Python of at least 3.11 that can create environments, the newest version first: from PATH, else from the
# usual folders. Of one version, the first that is found counts.
for minor in 20 19 18 17 16 15 14 13 12 11; do
    for folder in $(printf %s "$PATH" | tr ":" "\n") /usr/local/bin /opt/homebrew/bin /usr/bin \
        "$HOME"/.pyenv/versions/3.$minor.*/bin "$HOME"/.local/bin; do
        python=$folder/python3.$minor
        # A shim may stand for a version that isn't installed.
        if "$python" -c "import ensurepip, sys, venv; sys.exit(sys.version_info[:2] != (3, $minor))" 2>/dev/null; then
            echo "$python"
            break
        fi
    done
done
